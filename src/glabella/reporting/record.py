"""What a report is written from: plain values and figures, kept with the run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from glabella.atomic import write_together
from glabella.domain.outcome_words import RESPONSE, OutcomeWords
from glabella.errors import StoreError

# Predictors with a section and a figure of their own.
LEADING_PREDICTORS = 8
RECORD_FILE = "record.json"


@dataclass(frozen=True)
class RunRecord:
    """Everything a report shows, free of any participant's data.

    Parameters
    ----------
    analysis, description : str
        Which analysis, and its question.
    origin : str
        ``real`` or ``simulated``.
    endpoint : str
        In words.
    estimand : dict
        Attribute to its sentences, in the words of ICH E9(R1).
    finding : str
        The sentence at the top.
    caveats : list of str
        What a reader must know beside it.
    participants : list of dict
        A row for each trial and arm: ``trial``, ``arm``, ``n``, ``events``, ``left_out``.
    left_out : dict
        Reason to count; None for one under ten, here as everywhere.
    data_notes : list of str
        What reading the data left aside or converted, with counts and published sources.
    chosen, choice : str
        The chosen candidate and the rule that chose it.
    arms : dict
        The words for each arm, by name.
    candidates : dict
        By name, as `CandidateResult.as_json` gives them, with ``description``.
    differences : list of dict
        The chosen candidate against each reference, in log loss.
    procedure : dict
        As `Procedure.as_json` gives it.
    explanation : dict
        As `Explanation.as_json` gives it.
    directions : list of dict
        Directions that the dictionary states: ``label``, ``stated``, ``source``, ``concordance``
        as plain values, and the ``verdict``.
    left_out_unit : str
        What is left out of training across: ``trial`` or ``site``.
    designs : dict
        In words, how each design was run.
    history : dict
        As `History.as_json` gives it: which training on the same outcome and data.
    provenance : dict
        Versions, hashes, seed, run.
    figures : dict
        File name to its caption, in the order of the report. Beside each stands a CSV file of
        the same name with what it shows.
    promotion : dict or None
        What promotion is judged by and stands nowhere else: the declared ``policy``,
        ``net_benefit`` at its threshold of each candidate and of the procedure, and ``leakage``.
        None in records of versions that had no promotion.
    parts : dict of dict or None
        Each part that a training can do without, by its name, as its `as_json` gives it; None for
        one that the analysis does not ask for, or that could not be computed.
    event : str
        The words for the outcome.
    failed : list of dict
        The parts that could not be computed: ``part``, ``kind``, ``message``, ``place``.
    """

    analysis: str
    description: str
    origin: str
    endpoint: str
    estimand: dict[str, list[str]]
    finding: str
    caveats: list[str]
    participants: list[dict[str, Any]]
    left_out: dict[str, float | None]
    data_notes: list[str]
    chosen: str
    choice: str
    arms: dict[str, str]
    candidates: dict[str, dict[str, Any]]
    differences: list[dict[str, Any]]
    procedure: dict[str, Any]
    explanation: dict[str, Any]
    directions: list[dict[str, Any]]
    left_out_unit: str
    designs: dict[str, str]
    history: dict[str, Any]
    provenance: dict[str, Any]
    figures: dict[str, str]
    promotion: dict[str, Any] | None = None
    parts: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    event: str = RESPONSE
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def words(self) -> OutcomeWords:
        """The words for the outcome, in each form."""
        return OutcomeWords(self.event)

    def as_training(self) -> dict[str, Any]:
        """Give back what `glabella train --json` printed of the figures.

        Returns
        -------
        dict
            Without what the store says of a run: its id, counts, model and paths. How the
            explanation was made is in the words of the report.
        """
        return {
            "chosen": self.chosen,
            "finding": self.finding,
            "candidates": {
                name: {key: value for key, value in entry.items() if key != "description"}
                for name, entry in self.candidates.items()
            },
            "procedure": self.procedure,
            "history": self.history,
            **self.parts,
            "explanation": self.explanation,
            "failed": self.failed,
        }


def write_record(folder: Path, record: RunRecord, figures: dict[str, bytes]) -> None:
    """Write a record and its figures into a folder.

    Parameters
    ----------
    folder : Path
        Made if need be.
    record : RunRecord
        What the report shows.
    figures : dict of bytes
        By file name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = asdict(record)
    # A part is an entry like any other, as in every version that a store may hold records of.
    content |= content.pop("parts")
    text = json.dumps(content, indent=1, allow_nan=False)
    write_together(folder, {**figures, RECORD_FILE: f"{text}\n".encode()})


def read_record(folder: Path) -> tuple[RunRecord, dict[str, bytes]]:
    """Read a record and its figures back.

    Parameters
    ----------
    folder : Path
        From `write_record`.

    Returns
    -------
    tuple of RunRecord and dict of bytes
        The record and the figures by file name.

    Raises
    ------
    StoreError
        If the folder holds no whole record of this version.
    """
    try:
        content = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        own = {item.name for item in fields(RunRecord)}
        parts = {name: content.pop(name) for name in list(content) if name not in own}
        record = RunRecord(**content, parts=parts)
        names = [*record.figures, *(f"{Path(name).stem}.csv" for name in record.figures)]
        return record, {name: (folder / name).read_bytes() for name in names}
    except (OSError, ValueError, TypeError, AttributeError):
        raise StoreError(
            "the run's record is missing or of another version",
            place=str(folder),
            remedy="Train again with this version of Glabella.",
        ) from None
