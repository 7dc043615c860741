"""The names that a model may have, and references to a registered model."""

from __future__ import annotations

from dataclasses import dataclass

from glabella.errors import BundleError, GlabellaError

# An experiment, a registered model and folders on disk have this name.
_LONGEST = 200
_SEPARATORS = "/\\:@"
_REMEDY = (
    "Name it NAME, NAME/VERSION or NAME@ALIAS, as `glabella compare` shows them; a bundle is named "
    "by its folder."
)


@dataclass(frozen=True)
class ModelReference:
    """A reference to a registered model.

    Parameters
    ----------
    name : str
        The registered model, which has the name of its analysis.
    alias : str or None
        The alias, if the reference has one.
    version : str or None
        A whole number, if the reference has one.
    """

    name: str
    alias: str | None = None
    version: str | None = None


def parse_reference(reference: str) -> ModelReference:
    """Parse a reference to a registered model."""
    name, at, alias = reference.partition("@")
    if at:
        check_name(name, "model")
        check_name(alias, "alias")
        return ModelReference(name, alias=alias)
    name, slash, version = reference.partition("/")
    if slash and not (version.isascii() and version.isdigit() and len(version) < 10):
        raise BundleError(
            f"there is no model '{_format_name(reference)}': it is a path, or its version is not "
            "a number",
            remedy=_REMEDY,
        )
    check_name(name, "model")
    return ModelReference(name, version=str(int(version)) if slash else None)


def check_name(
    name: str,
    what: str,
    *,
    place: str | None = None,
    kind: type[GlabellaError] = BundleError,
    remedy: str = _REMEDY,
) -> None:
    """Refuse a name that a registered model, an alias or an analysis can't have."""
    if not name.strip():
        finding = f"the name of the {what} is blank"
    elif len(name) > _LONGEST:
        finding = f"the name of the {what} has {len(name)} characters, and {_LONGEST} are allowed"
    elif name.strip(".") == "" or name != name.strip() or not name.isprintable():
        finding = f"'{_format_name(name)}' can't be the name of the {what}"
    elif name[0] in "=+-@":
        # Each row of scores names the model, and a spreadsheet would execute the cell.
        finding = (
            f"'{_format_name(name)}' can't be the name of the {what}: it begins like a formula of "
            "a spreadsheet"
        )
    elif any(sign in name for sign in _SEPARATORS):
        finding = (
            f"'{_format_name(name)}' can't be the name of the {what}: it has one of "
            f"{' '.join(_SEPARATORS)}"
        )
    else:
        return
    raise kind(finding, place=place, remedy=remedy)


def _format_name(text: str) -> str:
    """Format a name for a message: short, and without characters that control a terminal."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return plain if len(plain) <= 60 else f"{plain[:57]}..."
