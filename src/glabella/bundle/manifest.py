"""The manifest, which describes the model of a bundle."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from glabella.bundle.applicability.drift import FeatureDistribution
from glabella.bundle.forms import TableForm
from glabella.data.dictionary import Dictionary, Variable
from glabella.definitions.reader import Definition
from glabella.domain.outcome_words import RESPONSE
from glabella.features.feature_set import FeatureSet
from glabella.features.spec import FeatureSpec
from glabella.models.grouping import Grouping

FORMAT = 7
MANIFEST_FILE = "manifest.json"
SUMS_FILE = "SHA256SUMS"


class TrainingRange(Definition):
    """The range of the training participants in one feature, without any single one's value.

    Parameters
    ----------
    low, high : float, optional
        For a number, the lowest and the highest value, rounded outwards to a step of at least a
        twentieth of their difference; for an ordinal, the grades themselves. None if no
        participant had a value.
    levels : tuple of str
        For a category, the levels that at least one participant had.
    """

    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()


class ScoredArm(Definition):
    """An arm under which response can be predicted.

    Parameters
    ----------
    name, label, role : str
        As the analysis declares them.
    codes : tuple of str
        The codes of the arm in the training's data.
    """

    name: str
    label: str
    role: Literal["active", "control"]
    codes: tuple[str, ...] = ()


class FlagOutcome(Definition):
    """The value that counts as response if the endpoint is a flag.

    Parameters
    ----------
    name : str
        The dictionary's name of the variable.
    variable : Variable
        Its entry in the dictionary.
    code : str
        The code that counts as response.
    missing_is_no_response : bool
        Whether a missing value counts as no response, as the endpoint declares it.
    """

    name: str
    variable: Variable
    code: str
    missing_is_no_response: bool


class SpecEntry(Definition):
    """A `FeatureSpec` as it is saved.

    Parameters
    ----------
    name, label, kind, part : str
        As in `FeatureSpec`.
    levels : dict
        Label by code.
    unit : str, optional
        The unit of a number.
    is_severity : bool
        Whether it is the endpoint's variable at baseline.
    direction : str, optional
        The direction in which the probability of response is stated to change with it.
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
        """Convert to a `FeatureSpec`."""
        return FeatureSpec(**self.model_dump())


class Manifest(Definition):
    """Everything that scoring needs besides the model, and the origin of the model.

    Parameters
    ----------
    format : int
        The version of the bundle's format.
    glabella : str
        The version of the package that wrote it.
    analysis, description : str
        The analysis and its question.
    origin : str
        Whether it was trained on ``real`` or ``simulated`` data.
    model : str
        The model's name in scores.
    candidate : str
        The chosen candidate.
    endpoint : str
        The endpoint in words.
    estimand : dict
        The sentences on each attribute of the estimand, in the words of ICH E9(R1).
    endpoint_is_relative : bool
        Whether it is a fraction of the baseline, so that a baseline of zero is refused.
    intended_use, not_for : str
        The intended use, and uses that are not intended, in words.
    variables : dict of Variable
        The dictionary's entries of the variables used.
    feature_set : FeatureSet
        How features are built.
    specs : tuple of SpecEntry
        The kinds and labels of the features.
    forms : tuple of TableForm
        The forms in which a table to be scored may be written; a service declares the first.
    outcome : FlagOutcome, optional
        The value that counts as response if the endpoint is a flag.
    required : tuple of str
        Variables without which a row is refused; another that is missing is treated as in
        training.
    scales : tuple of str
        The scales on which a row may be rated; none if no total depends on one.
    arms : tuple of ScoredArm
        The first active one is the default; empty if the analysis has no arms.
    training : dict
        Counts of the training population.
    ranges : dict of TrainingRange
        The range of the training participants, by feature.
    reference : dict of FeatureDistribution
        The distribution of the training participants, by feature.
    attributions : str
        How reasons are computed, in words.
    groups : dict of tuple of str
        Features that are explained as one, by the label of the group.
    finding : str
        The sentence at the top of the report: the finding, and how far to trust it.
    beyond_noise : dict of bool or None
        By feature of the patient, or group, whether it is distinguished from noise; None if that
        was not tested.
    performance : dict
        The chosen candidate's validated performance.
    provenance : dict
        Hashes of data and definitions, seed, versions of packages.
    event : str
        The words for the outcome.
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
    forms: tuple[TableForm, ...] = Field(min_length=1)
    outcome: FlagOutcome | None
    required: tuple[str, ...]
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
    event: str = RESPONSE

    def find_contradiction(self) -> str | None:
        """Find a contradiction, which a file that was edited by hand may have."""
        patient = {entry.name for entry in self.specs if entry.part == "patient"}
        levels = next((list(entry.levels) for entry in self.specs if entry.part == "arm"), [])
        names = [entry.name for entry in self.specs]
        forms = [form.name for form in self.forms]
        columns = [name for form in self.forms for name in form.read_columns]
        readable = [self.model, self.candidate, self.analysis, *forms, *columns]
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
            "two of its forms have one name": len(set(forms)) < len(forms),
            "a form lacks an identifier": not all(form.ids for form in self.forms),
            "it needs a variable that it does not know": not all(
                set(self.required) <= set(form.variables) for form in self.forms
            ),
            "a form names a variable that it does not know": not all(
                {
                    *form.variables,
                    *(
                        item
                        for sets in form.items.values()
                        for each in sets
                        for item in each.columns
                    ),
                    *(visit.variable for visit in (*form.earlier, *form.visits)),
                }
                <= set(self.variables)
                for form in self.forms
            ),
            "a name has characters that can't be printed": not all(
                name.isprintable() for name in readable
            ),
        }
        return next((words for words, is_wrong in wrong.items() if is_wrong), None)

    @property
    def dictionary(self) -> Dictionary:
        """The variables as a dictionary."""
        return Dictionary(kind="dictionary", description=self.description, variables=self.variables)

    @property
    def form(self) -> TableForm:
        """The form that a service declares."""
        return self.forms[0]

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The identifier columns of all forms."""
        return tuple(dict.fromkeys(name for form in self.forms for name in form.ids))

    @property
    def grouping(self) -> Grouping:
        """The features that are explained as one."""
        return Grouping(self.groups)

    @property
    def feature_specs(self) -> tuple[FeatureSpec, ...]:
        """The specifications of the model's features."""
        return tuple(entry.to_spec() for entry in self.specs)
