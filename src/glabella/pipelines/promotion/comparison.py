"""What a comparison of runs came to, and its plain form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from glabella.reporting.finding import format_estimate, format_p_value
from glabella.validation.comparison.paired import PairedDifference
from glabella.validation.measures.estimation.estimate import Estimate, describe_estimates
from glabella.validation.measures.measure import Tier
from glabella.validation.measures.registry import list_measures

__all__ = ["ComparedRun", "Comparison", "RunDifference"]


@dataclass(frozen=True)
class ComparedRun:
    """A finished run.

    Parameters
    ----------
    run_id, analysis, started, origin : str
        Which run, of what, when, and whether its data were simulated.
    n, events : int or float or None
        Participants and responders.
    versions : tuple of tuple
        Name, version and aliases of each registered version of it.
    bundle, report : str or None
        Where they are in this project.
    record : mapping
        The further fields of `glabella train --json`; empty where they can't be read.
    reasons : mapping of str
        Why something is None or missing.
    """

    run_id: str
    analysis: str
    started: str
    origin: str
    n: int | None
    events: float | None
    versions: tuple[tuple[str, str, tuple[str, ...]], ...]
    bundle: str | None
    report: str | None
    record: Mapping[str, Any] = field(repr=False)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def aliases(self) -> tuple[str, ...]:
        """All aliases of its versions."""
        return tuple(alias for _, _, aliases in self.versions for alias in aliases)

    def as_json(self) -> dict[str, Any]:
        """Give plain values.

        Returns
        -------
        dict
            As `glabella train --json` prints a run, with ``analysis``, ``started``, ``origin``,
            ``versions`` and ``reasons``.
        """
        uris = [f"models:/{name}/{version}" for name, version, _ in self.versions]
        return {
            "run_id": self.run_id,
            "analysis": self.analysis,
            "started": self.started,
            "origin": self.origin,
            "versions": [
                {"model": name, "version": version, "aliases": list(aliases)}
                for name, version, aliases in self.versions
            ],
            "model_uri": uris[0] if uris else None,
            "bundle": self.bundle,
            "report": self.report,
            "n": self.n,
            "events": self.events,
            "chosen": None,
            "finding": None,
            "candidates": {},
            **self.record,
            "reasons": dict(self.reasons),
        }


@dataclass(frozen=True)
class RunDifference:
    """One run's procedure less another's, on the same participants.

    Parameters
    ----------
    run, against : str
        Ids.
    role : str
        What the other is: ``champion``, ``challenger``, ``simulated`` or the first named.
    design : str or None
        ``pooled`` or ``across``; None where the two were not compared at all.
    measured : PairedDifference or None
        None where there is a `reason`.
    left_out : int
        Participants that one of the two alone has.
    reason : str or None
        Why they were not compared.
    p_holm : float or None
        The p-value adjusted for all runs that are held against the same one.
    """

    run: str
    against: str
    role: str
    design: str | None = None
    measured: PairedDifference | None = None
    left_out: int = 0
    reason: str | None = None
    p_holm: float | None = None

    @property
    def p_value(self) -> float | None:
        """Of no difference in log loss."""
        return None if self.measured is None else self.measured.p_value

    def with_holm(self, p_holm: float | None) -> RunDifference:
        """Set the adjusted p-value.

        Parameters
        ----------
        p_holm : float or None
            The value.

        Returns
        -------
        RunDifference
            With it.
        """
        return replace(self, p_holm=p_holm)

    def describe(self) -> str:
        """Say it in words.

        Returns
        -------
        str
            A sentence or two.
        """
        who = f"Run {self.run[:8]} against {self.role} {self.against[:8]}"
        if self.measured is None:
            where = "" if self.design is None else f", {self.design}"
            return f"{who}{where}: not compared: {self.reason}."
        found = self.measured
        start = f"{who}, {self.design}, {found.n} participants"
        if found.log_loss.value == 0.0 and found.log_loss.low is None:
            return f"{start}: the two predict alike."
        words = (
            f"{start}: log loss {format_estimate(found.log_loss, 3)}, "
            f"p {format_p_value(found.p_value)}"
        )
        if self.p_holm != found.p_value:
            words += f" ({format_p_value(self.p_holm)} by Holm)"
        return f"{words}; concordance {format_estimate(found.auc)}. {self._describe_conclusion()}"

    def _describe_conclusion(self) -> str:
        assert self.measured is not None
        loss = self.measured.log_loss
        if loss.low is None or loss.high is None:
            return "It can't be said whether one is better."
        if loss.is_below(0.0):
            return "It predicts better."
        return "It predicts worse." if loss.is_above(0.0) else "Neither is shown to be better."

    def as_json(self) -> dict[str, Any]:
        """Give plain values.

        Returns
        -------
        dict
            ``log_loss`` (below 0 where `run` is better) and ``auc`` (above 0), each with ``_low``
            and ``_high``; what is None has its reason under ``reasons`` or ``reason``.
        """
        if self.measured is None:
            empty = {f"{name}{end}": None for name in ("log_loss", "auc")
                     for end in ("", "_low", "_high")}  # fmt: skip
            figures: dict[str, Any] = {**empty, "reasons": {}}
        else:
            figures = describe_estimates(
                {"log_loss": self.measured.log_loss, "auc": self.measured.auc}
            )
        return {
            "run": self.run,
            "against": self.against,
            "role": self.role,
            "design": self.design,
            **figures,
            "p": self.p_value,
            "p_holm": self.p_holm,
            "method": None if self.measured is None else self.measured.method,
            "n": None if self.measured is None else self.measured.n,
            "left_out": self.left_out,
            "reason": self.reason,
            "words": self.describe(),
        }


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Parameters
    ----------
    runs : tuple of ComparedRun
        The newest first, or as they were named.
    differences : tuple of RunDifference
        Each run against the champion, or what stands in for it.
    """

    runs: tuple[ComparedRun, ...]
    differences: tuple[RunDifference, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella compare --json` prints it.
        """
        return {
            "runs": [run.as_json() for run in self.runs],
            "differences": [item.as_json() for item in self.differences],
        }

    def frame(self) -> pd.DataFrame:
        """Tabulate the candidates of all runs.

        Returns
        -------
        DataFrame
            One row a run, candidate and design, with each measure and its bounds; last of each
            run the procedure, where there was a choice.
        """
        rows = []
        for run in self.runs:
            plain = run.as_json()
            shown = dict(plain["candidates"])
            if plain.get("procedure", {}).get("candidates"):
                shown["procedure"] = plain["procedure"]
            for name, entry in shown.items():
                for design in ("pooled", "across"):
                    if entry[design] is not None:
                        figures: dict[str, float | None] = {}
                        for measure in list_measures(Tier.TABLE):
                            found = Estimate.read_columns(entry[design], measure)
                            figures |= found.as_columns(measure)
                        rows.append(
                            {
                                "run": run.run_id,
                                "analysis": run.analysis,
                                "aliases": ", ".join(run.aliases),
                                "candidate": name,
                                "design": design,
                                **figures,
                            }
                        )
        return pd.DataFrame(rows)
