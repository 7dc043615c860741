"""What a bundle says of itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from glabella.bundle.reference import FeatureDistribution
from glabella.data.dictionary import Dictionary, Variable
from glabella.definitions.reader import Definition
from glabella.features.feature_set import FeatureSet
from glabella.features.spec import FeatureSpec
from glabella.models.grouping import Grouping

FORMAT = 6
MANIFEST_FILE = "manifest.json"
SUMS_FILE = "SHA256SUMS"


class TrainingRange(Definition):
    """What the training participants were like in one feature, without any one's value.

    Parameters
    ----------
    low, high : float, optional
        Of a number: the lowest and the highest, rounded outwards to a step of a twentieth of their
        distance or more; of an ordinal the grades themselves. None where nobody had a value.
    levels : tuple of str
        Of a category: the levels that at least one participant had.
    """

    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()


class VisitColumn(Definition):
    """A column that holds a later visit's value in a table to be scored.

    Parameters
    ----------
    variable : str
        A variable that is assessed at visits.
    week : float
        The week at which its values count.
    column : str
        The column.
    is_needed : bool
        Whether a table without it is refused; another is read where it is there, and stands in
        where the nearer visit is missing, as in training.
    """

    variable: str
    week: float
    column: str
    is_needed: bool


class ScoredArm(Definition):
    """An arm that can be asked about.

    Parameters
    ----------
    name, label, role : str
        As the analysis declares them.
    """

    name: str
    label: str
    role: Literal["active", "control"]


class SpecEntry(Definition):
    """A `FeatureSpec` as it is saved.

    Parameters
    ----------
    name, label, kind, part : str
        As in `FeatureSpec`.
    levels : dict
        Code to label.
    unit : str, optional
        Of a number.
    is_severity : bool
        Whether it is the endpoint's own variable at baseline.
    direction : str, optional
        How response is held to go with it.
    """

    name: str
    label: str
    kind: Literal["number", "ordinal", "category"]
    part: Literal["patient", "arm", "trial"]
    levels: dict[str, str]
    unit: str | None
    is_severity: bool
    direction: Literal["increasing", "decreasing"] | None = None

    def to_spec(self) -> FeatureSpec:
        """Make the `FeatureSpec`.

        Returns
        -------
        FeatureSpec
            With the same values.
        """
        return FeatureSpec(**self.model_dump())


class Manifest(Definition):
    """Everything that scoring needs to know beside the model, and whence the model comes.

    Parameters
    ----------
    format : int
        The version of the bundle's format.
    glabella : str
        The version of the package that wrote it.
    analysis, description : str
        Which analysis, and its question.
    origin : str
        ``real`` or ``simulated``: what it was trained on.
    model : str
        The name that scores carry.
    candidate : str
        The chosen candidate.
    endpoint : str
        In words.
    estimand : dict
        Attribute to its sentences, in the words of ICH E9(R1).
    endpoint_is_relative : bool
        Whether it is a fraction of the baseline, so that a baseline of zero is refused.
    intended_use, not_for : str
        In words.
    variables : dict of Variable
        The dictionary's entries of the variables used.
    feature_set : FeatureSet
        How features are built.
    specs : tuple of SpecEntry
        What models were told of them.
    columns : dict
        Variable to the column that holds it in a table to be scored; of one that is assessed at
        visits, its baseline.
    visits : tuple of VisitColumn
        The columns of later visits; none where no feature takes one.
    required : tuple of str
        Variables without which a row is refused; another that is missing is treated as in
        training.
    id_columns : tuple of str
        Kept in the output; the last one identifies the participant.
    scale_column : str, optional
        The column that names the scale of a total.
    scales : tuple of str
        The scales on which a row may be rated; none where no column names one.
    arms : tuple of ScoredArm
        The first active one is the default; empty where the analysis has none.
    training : dict
        Counts of the training population.
    ranges : dict of TrainingRange
        By feature.
    reference : dict of FeatureDistribution
        By feature, how the training participants were distributed.
    attributions : str
        How reasons are computed, in words.
    groups : dict of tuple of str
        Features that are explained as one, under the words of the key.
    finding : str
        The sentence at the top of the report: what was found, and how far to trust it.
    beyond_noise : dict of bool or None
        By feature of the patient, or group: whether it stands out from features that tell
        nothing; None where that was not tested.
    performance : dict
        The chosen candidate's validated figures.
    provenance : dict
        Hashes of data and definitions, seed, versions of packages.
    """

    format: int
    glabella: str
    analysis: str
    description: str
    origin: Literal["real", "simulated"]
    model: str
    candidate: str
    endpoint: str
    estimand: dict[str, list[str]]
    endpoint_is_relative: bool
    intended_use: str
    not_for: str
    variables: dict[str, Variable]
    feature_set: FeatureSet
    specs: tuple[SpecEntry, ...]
    columns: dict[str, str]
    visits: tuple[VisitColumn, ...]
    required: tuple[str, ...]
    id_columns: tuple[str, ...] = Field(min_length=1)
    scale_column: str | None
    scales: tuple[str, ...]
    arms: tuple[ScoredArm, ...]
    training: dict[str, Any]
    ranges: dict[str, TrainingRange]
    reference: dict[str, FeatureDistribution]
    attributions: str
    groups: dict[str, tuple[str, ...]]
    finding: str
    beyond_noise: dict[str, bool | None]
    performance: dict[str, Any]
    provenance: dict[str, Any]

    def find_contradiction(self) -> str | None:
        """Find what can't be true together, as a file that was edited by hand may hold.

        Returns
        -------
        str or None
            In words; None for a manifest as training writes it.
        """
        patient = {entry.name for entry in self.specs if entry.part == "patient"}
        levels = next((list(entry.levels) for entry in self.specs if entry.part == "arm"), [])
        columns = [*self.columns.values(), *(visit.column for visit in self.visits)]
        names = [entry.name for entry in self.specs]
        readable = [self.model, self.candidate, self.analysis, *self.id_columns, *columns]
        wrong = {
            "a feature is described twice": len(set(names)) < len(names),
            "its features are not those of the feature set": patient
            != {feature.name for feature in self.feature_set.features},
            "its ranges are not of the patient's features": set(self.ranges) != patient,
            "its reference is not of the patient's features": set(self.reference) != patient,
            "a reference has counts for other bins": not all(
                item.is_whole for item in self.reference.values()
            ),
            "its arms are not those that the model knows": [arm.name for arm in self.arms]
            != levels,
            "it needs a variable that it does not know": not set(self.required)
            <= set(self.columns),
            "a name holds signs that can't be printed": not all(
                name.isprintable() for name in readable
            ),
        }
        return next((words for words, is_wrong in wrong.items() if is_wrong), None)

    @property
    def dictionary(self) -> Dictionary:
        """The variables as a dictionary."""
        return Dictionary(kind="dictionary", description=self.description, variables=self.variables)

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns without which a table is refused: the participant's, then the model's."""
        return (
            self.id_columns[-1],
            *self.columns.values(),
            *(visit.column for visit in self.visits if visit.is_needed),
            *(() if self.scale_column is None else (self.scale_column,)),
        )

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The columns that are read where a table has them."""
        return tuple(visit.column for visit in self.visits if not visit.is_needed)

    @property
    def grouping(self) -> Grouping:
        """What is explained as one."""
        return Grouping(self.groups)

    @property
    def feature_specs(self) -> tuple[FeatureSpec, ...]:
        """What the model was told of its columns."""
        return tuple(entry.to_spec() for entry in self.specs)
