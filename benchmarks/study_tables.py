"""The small tables of the validation study, and how a figure of theirs is shown and judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glabella.validation.adequacy.simulation_study import Proportion

COMMAND = "python benchmarks/validation_study.py"
ENOUGH_REPEATS = 1000


@dataclass(frozen=True)
class Study:
    """The small tables.

    Parameters
    ----------
    lines, figures, claims : DataFrame
        As `validation_study.run_line` writes them.
    """

    lines: pd.DataFrame
    figures: pd.DataFrame
    claims: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Study:
        """Read the tables.

        Parameters
        ----------
        folder : Path
            ``docs/validation_study``.

        Returns
        -------
        Study
            What is there.
        """
        return cls(
            *(pd.read_csv(folder / f"{name}.csv") for name in ("lines", "figures", "claims"))
        )

    def select(self, line: str, **wanted: str) -> pd.DataFrame:
        """Take figures of a line.

        Parameters
        ----------
        line : str
            Its name.
        **wanted : str
            Column to value; a value that ends in ``*`` is the beginning of one.

        Returns
        -------
        DataFrame
            In their order.
        """
        found = self.figures[self.figures["line"] == line]
        for column, value in wanted.items():
            named = found[column].astype(str)
            is_it = named.str.startswith(value[:-1]) if value.endswith("*") else named == value
            found = found[is_it]
        return found

    def has(self, line: str) -> bool:
        """Say whether a line was run.

        Parameters
        ----------
        line : str
            Its name.

        Returns
        -------
        bool
            Whether it was.
        """
        return line in set(self.lines["line"])

    def count(self, line: str) -> int:
        """Count the repeats of a line that ended.

        Parameters
        ----------
        line : str
            Its name.

        Returns
        -------
        int
            Repeats.
        """
        return int(self.lines.set_index("line").loc[line, "finished"])


def tabulate(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table.

    Parameters
    ----------
    head : tuple of str
        Names of the columns.
    rows : list of tuple of str
        Cells.

    Returns
    -------
    str
        Markdown.
    """
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def show_share(value: float | None, error: float | None) -> str:
    """Write a share with its Monte Carlo error.

    Parameters
    ----------
    value, error : float or None
        Both from 0 to 1.

    Returns
    -------
    str
        In percent; a dash where there is none.
    """
    return "–" if value is None or pd.isna(value) else f"{100 * value:.1f} % ± {100 * error:.1f}"


def show_bias(row: pd.Series, digits: int = 4) -> str:
    """Write a bias with its Monte Carlo error.

    Parameters
    ----------
    row : Series
        A figure.
    digits : int
        After the point.

    Returns
    -------
    str
        With its sign.
    """
    return f"{row['bias']:+.{digits}f} ± {row['bias_error']:.{digits}f}"


def find_coverage(row: pd.Series) -> Proportion:
    """Take the coverage of a figure.

    Parameters
    ----------
    row : Series
        A figure.

    Returns
    -------
    Proportion
        Over the repeats that have it: a method that some lack was judged in fewer.
    """
    return Proportion(row["coverage"], row["coverage_error"], int(row["repeats"]))


def judge(share: Proportion, low: float, high: float, what: str, missed: list[str]) -> str:
    """Compare a proportion with a range, within two Monte Carlo errors.

    Parameters
    ----------
    share : Proportion
        What was found.
    low, high : float
        What was promised.
    what : str
        Its name in the list.
    missed : list of str
        Gets a share that is outside.

    Returns
    -------
    str
        A verdict.
    """
    if share.is_compatible(low, high):
        return "met" if share.repeats >= ENOUGH_REPEATS else "met so far"
    side = "below" if share.value is not None and share.value < low else "above"
    promised = f"{100 * low:.0f} to {100 * high:.0f}" if low > 0 else f"{100 * high:.0f}"
    missed.append(f"{what}: {show_share(share.value, share.error)}, {side} {promised} %")
    return f"**{side}**"
