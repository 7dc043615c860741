"""What a model may be called, and the references by which one is named."""

from __future__ import annotations

from dataclasses import dataclass

from glabella.errors import BundleError, GlabellaError

# An experiment, a registered model and folders on disk bear the name.
_LONGEST = 200
_SEPARATORS = "/\\:@"
_REMEDY = (
    "Name it NAME, NAME/VERSION or NAME@ALIAS, as `glabella compare` shows them; a bundle is named "
    "by its folder."
)


@dataclass(frozen=True)
class ModelReference:
    """A registered model as somebody named it.

    Parameters
    ----------
    name : str
        The registered model: the analysis that made it.
    alias : str or None
        Where one was named.
    version : str or None
        A whole number, where one was named.
    """

    name: str
    alias: str | None = None
    version: str | None = None


def parse_reference(reference: str) -> ModelReference:
    """Read a reference to a registered model."""
    name, at, alias = reference.partition("@")
    if at:
        refuse_name(name, "model")
        refuse_name(alias, "alias")
        return ModelReference(name, alias=alias)
    name, slash, version = reference.partition("/")
    if slash and not (version.isascii() and version.isdigit() and len(version) < 10):
        raise BundleError(
            f"there is no model '{_show(reference)}': it is a path, or its version is no number",
            remedy=_REMEDY,
        )
    refuse_name(name, "model")
    return ModelReference(name, version=str(int(version)) if slash else None)


def refuse_name(
    name: str,
    what: str,
    *,
    place: str | None = None,
    kind: type[GlabellaError] = BundleError,
    remedy: str = _REMEDY,
) -> None:
    """Refuse a name that can't stand for a registered model, an alias or an analysis."""
    if not name.strip():
        finding = f"the name of the {what} is blank"
    elif len(name) > _LONGEST:
        finding = f"the name of the {what} has {len(name)} characters, and {_LONGEST} are allowed"
    elif name.strip(".") == "" or name != name.strip() or not name.isprintable():
        finding = f"'{_show(name)}' can't be the name of the {what}"
    elif name[0] in "=+-@":
        # Each row of scores names the model, and a spreadsheet would run the cell.
        finding = (
            f"'{_show(name)}' can't be the name of the {what}: it begins as a formula of a "
            "spreadsheet does"
        )
    elif any(sign in name for sign in _SEPARATORS):
        finding = (
            f"'{_show(name)}' can't be the name of the {what}: it holds one of "
            f"{' '.join(_SEPARATORS)}"
        )
    else:
        return
    raise kind(finding, place=place, remedy=remedy)


def _show(text: str) -> str:
    """Show a name in a message: short, and without what a terminal would act upon."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return plain if len(plain) <= 60 else f"{plain[:57]}..."
