"""The exception family: each message has a place, a finding and a remedy."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

_MASK = "***"
# Where an address or a library's message may hold a secret: before the last @ of an address, in a
# parameter or an assignment whose name says so, in a header.
_SECRET_NAME = r"[\w.-]*(?:passw|pwd|passphrase|secret|token|api_?key|credential|signature)[\w.-]*"
_SECRETS = (
    (re.compile(r"(\w[\w+.-]*://)[^\s'\"<>]*@"), rf"\1{_MASK}@"),
    (
        re.compile(rf"\b({_SECRET_NAME}['\"]?\s*[=:]\s*['\"]?)[^\s&;,'\"]+", re.IGNORECASE),
        rf"\1{_MASK}",
    ),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}"), rf"\1 {_MASK}"),
)
# What a user may have told MLflow: a secret in it is known, wherever a message repeats it.
_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
_PASSWORDS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "MYSQL_PWD")
# A shorter one would be found inside ordinary words.
_SHORTEST_KNOWN = 4


def remove_secrets(text: str) -> str:
    """Take passwords and tokens out of a text that may quote an address.

    Examples
    --------
    >>> remove_secrets("can't reach https://ann:pa@ss@host:5000/x?token=abc&n=1")
    "can't reach https://***@host:5000/x?token=***&n=1"
    """
    for secret in _list_known_secrets():
        text = text.replace(secret, _MASK)
    for pattern, masked in _SECRETS:
        text = pattern.sub(masked, text)
    return text


def _list_known_secrets() -> list[str]:
    known = [os.environ.get(name, "") for name in _PASSWORDS]
    for name in _ADDRESSES:
        address = os.environ.get(name, "")
        user_and_password = address.partition("://")[2].rpartition("@")[0]
        known.append(user_and_password.partition(":")[2])
        with contextlib.suppress(ValueError):
            known.append(urlsplit(address).password or "")
    both = {*known, *map(unquote, known)}
    return sorted((each for each in both if len(each) >= _SHORTEST_KNOWN), key=len, reverse=True)


# Control, format, surrogate, and the separators of lines and of paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# So many findings are still read; the next run shows the others.
MOST_SHOWN = 20
# What may be one of these, so that most of a long text is passed over quickly.
_ODD = re.compile(r"[^\x20-\x7e]")


class GlabellaError(Exception):
    """What a user can mend: the data, a definition or an analysis was refused.

    Parameters
    ----------
    finding : str
        What is wrong, in a sentence, without any value of a participant.
    place : str, optional
        Where: a file with its line, a column, a fold.
    remedy : str, optional
        What to do about it.
    """

    def __init__(self, finding: str, *, place: str | None = None, remedy: str | None = None):
        super().__init__(remove_secrets(finding))
        self.finding = remove_secrets(finding)
        self.place = None if place is None else remove_secrets(place)
        self.remedy = None if remedy is None else remove_secrets(remedy)
        self.parts: tuple[GlabellaError, ...] = ()

    def __str__(self) -> str:
        # Names come from files, definitions and servers; a line break in a place is of its name.
        place = f"{escape_controls(self.place)}: " if self.place else ""
        head = place + escape_controls(self.finding, keep="\n")
        if not self.remedy:
            return head
        remedy = escape_controls(self.remedy, keep="\n")
        return f"{head}\n  {remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        # A worker process sends its exceptions back pickled; keyword arguments need a hand.
        return (_restore_error, (type(self), self.finding, self.place, self.remedy))


def _restore_error(
    kind: type[GlabellaError], finding: str, place: str | None, remedy: str | None
) -> GlabellaError:
    return kind(finding, place=place, remedy=remedy)


def escape_controls(text: str, *, keep: str = "") -> str:
    r"""Show characters that steer a terminal, or hide or turn round their neighbours, as escapes.

    Returns
    -------
    str
        Without control characters, marks of direction, zero width and other format, separators
        of lines, and halves of surrogate pairs.

    Examples
    --------
    >>> escape_controls("a\x1b[2Jb\u202e")
    'a\\x1b[2Jb\\u202e'
    """
    return _ODD.sub(lambda found: found[0] if found[0] in keep else _escape_control(found[0]), text)


def _escape_control(sign: str) -> str:
    if unicodedata.category(sign) not in _UNSEEN:
        return sign
    return sign.encode("unicode_escape", "backslashreplace").decode("ascii")


class DefinitionError(GlabellaError):
    """A YAML definition can't be read, or names what does not exist."""


class DataError(GlabellaError):
    """A table can't be read, or breaks what the dictionary says of it."""


class AmbiguousFileError(DataError):
    """A file leaves open how its numbers are to be read, and the user must state it."""


class AnalysisError(GlabellaError):
    """Definitions and data are sound, but this analysis of them is not possible."""


class ClockError(AnalysisError):
    """A feature would use what is known only after the moment of prediction."""


class BundleError(GlabellaError):
    """A saved model is missing, changed, foreign or not meant for this use."""


class StoreError(GlabellaError):
    """The store of runs and models can't be reached or lacks what was asked for."""


class ClusterError(GlabellaError):
    """A cluster can't be reached, has workers of other versions, or was lost."""


class Refusals:
    """Collects refusals, so that one run shows all that there is to correct."""

    def __init__(self) -> None:
        self.errors: list[GlabellaError] = []

    @contextlib.contextmanager
    def collect(self) -> Iterator[None]:
        """Keep a refusal from within, and go on."""
        try:
            yield
        except GlabellaError as error:
            self.errors.append(error)

    def raise_all(self) -> None:
        """Raise what was collected, if anything was."""
        if self.errors:
            raise join_errors(self.errors)


def join_errors(errors: Sequence[GlabellaError]) -> GlabellaError:
    """Make one refusal of several.

    Returns
    -------
    GlabellaError
        The only one as it is. Of several one of the first one's kind, whose finding lists them,
        each in a line with its place and remedy, and the rest counted; `parts` holds them.

    Examples
    --------
    >>> print(join_errors([DataError("no rows", place="a.csv"), DataError("torn", place="b.csv")]))
    2 findings
      a.csv: no rows
      b.csv: torn
    """
    parts = [part for error in errors for part in (error.parts or (error,))]
    # Two definitions that name a third refuse it alike.
    distinct = list({str(part): part for part in parts}.values())
    if len(distinct) == 1:
        return errors[0]
    shown = distinct[:MOST_SHOWN]
    following = [part.remedy for part in shown[1:]]
    lines = [
        # What is to be done about several in a row is said once.
        _write_line(part, "" if part.remedy == after else part.remedy)
        for part, after in zip(shown, [*following, None], strict=True)
    ]
    if len(distinct) > MOST_SHOWN:
        lines.append(f"  ... and {len(distinct) - MOST_SHOWN} more")
    kind = type(errors[0])
    joined = kind(f"{len(distinct)} findings\n" + "\n".join(lines))
    joined.parts = tuple(distinct)
    return joined


def _write_line(error: GlabellaError, remedy: str | None) -> str:
    head = f"{error.place}: {error.finding}" if error.place else error.finding
    return f"  {head}. {remedy}" if remedy else f"  {head}"


@contextlib.contextmanager
def add_place(place: str) -> Iterator[None]:
    """Say where, of a refusal by what can't know."""
    try:
        yield
    except GlabellaError as error:
        error.place = error.place or place
        raise


def describe_choices(name: str, known: Iterable[str]) -> str:
    """Offer the nearest known name, or list what there is.

    Examples
    --------
    >>> describe_choices("rigde", ["ridge", "xgboost"])
    "Did you mean 'ridge'? There are: ridge, xgboost."
    >>> describe_choices("forest", [])
    'There are none.'
    """
    names = sorted(known)
    if not names:
        return "There are none."
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    start = f"Did you mean '{nearest[0]}'? " if nearest else ""
    return f"{start}There are: {listed}."
