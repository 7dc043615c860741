"""The typed definition of an analysis."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from glabella.analysis.alternatives import AlternativeDefinition, read_alternative
from glabella.analysis.policy import PromotionDefinition
from glabella.data.adam.source import AdamSource
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.mapping.sources import TrialSource
from glabella.definitions.reader import Definition
from glabella.features.arms import Arm
from glabella.models.candidate import Effort
from glabella.validation.folds.splits import Unit

__all__ = [
    "Analysis",
    "DataDefinition",
    "ExplanationDefinition",
    "LearningCurveDefinition",
    "RepeatedFolds",
    "StabilityDefinition",
    "ValidationDefinition",
]


def _name_kind(entry: Any) -> str:
    is_adam = "adam" in entry if isinstance(entry, dict) else isinstance(entry, AdamSource)
    return "adam" if is_adam else "files"


Source = Annotated[
    Annotated[TrialSource, Tag("files")] | Annotated[AdamSource, Tag("adam")],
    Discriminator(_name_kind),
]


class DataDefinition(Definition):
    """Where the data come from: a scenario of the simulator, or trials' files.

    Parameters
    ----------
    simulate : str, optional
        A scenario in ``pipelines/scenarios``.
    trials : tuple of TrialSource or AdamSource, optional
        Trials with their files, or as ADaM datasets.
    lacking : str
        What goes where nobody in a trial has a feature: the ``feature``, or the ``trial``;
        ``refuse`` to be asked.
    """

    simulate: str | None = None
    trials: tuple[Source, ...] | None = None
    lacking: Literal["refuse", "feature", "trial"] = "refuse"

    @model_validator(mode="after")
    def _has_one_source(self) -> DataDefinition:
        if (self.simulate is None) == (not self.trials):
            raise ValueError("name either a scenario to `simulate` or the `trials` to read")
        return self


class RepeatedFolds(Definition):
    """Repeated stratified cross-validation.

    Parameters
    ----------
    folds, repeats : int
        How many of each.
    grouped_by : str, optional
        ``trial`` or ``site``: whole ones go into a fold, so that figures are of participants of
        others; participants are split unless stated.
    """

    folds: int = Field(default=5, ge=2, le=50)
    repeats: int = Field(default=10, ge=1, le=1000)
    grouped_by: Literal["trial", "site"] | None = None

    @property
    def unit(self) -> Unit:
        """Who goes into a fold as a whole."""
        return self.grouped_by or "participant"


class StabilityDefinition(Definition):
    """Bootstrap refits of the chosen candidate.

    Parameters
    ----------
    refits : int
        How many.
    """

    refits: int = Field(default=100, ge=20, le=10_000)


class LearningCurveDefinition(Definition):
    """The chosen candidate fitted to growing parts of its training data.

    Parameters
    ----------
    points : int
        Sizes; the curve that is carried on has three parameters, so four at least.
    repeats : int
        Repetitions of the pooled design to measure each over; no more than that has.
    """

    points: int = Field(default=5, ge=4, le=20)
    repeats: int = Field(default=10, ge=1, le=1000)


class ExplanationDefinition(Definition):
    """How the chosen candidate is explained, and how sure that is.

    Parameters
    ----------
    refits : int
        Bootstrap samples behind the intervals of importance, rank and direction; none with 0.
    permutations : int
        Of features that then tell nothing, once or twice; what does not stand out from them is
        called noise. Not tested with 0. Each costs a fit; more settle the threshold better, and
        the rate of false claims is the same.
    groups : dict of tuple of str
        Features that are shown as one, such as an item and the total that contains it, under the
        words of the key.
    evidence : str, optional
        Published predictors in ``features`` that ours are held beside; none unless stated.
    values : str
        ``path_dependent``: what a tree expects where a feature is unknown is the mean of its own
        training rows that went the same way. ``interventional``: it is the mean over stated rows,
        features changed independently of each other.
    background : int
        Of interventional values: the most training participants that each fit is explained
        against, evenly over trials and arms and weighted by their size.
    """

    refits: int = Field(default=50, ge=0, le=10_000)
    permutations: int = Field(default=39, ge=0, le=10_000)
    groups: dict[str, tuple[str, ...]] = Field(default={})
    evidence: str | None = None
    values: Literal["path_dependent", "interventional"] = "path_dependent"
    background: int = Field(default=300, ge=10, le=10_000)

    @model_validator(mode="after")
    def _is_possible(self) -> ExplanationDefinition:
        for name, fewest in (("refits", 20), ("permutations", 19)):
            if 0 < getattr(self, name) < fewest:
                raise ValueError(f"`{name}` is 0, or {fewest} at least: fewer tell nothing")
        grouped = [name for names in self.groups.values() for name in names]
        for name in grouped:
            if grouped.count(name) > 1:
                raise ValueError(f"the feature '{name}' stands in two groups")
        for words, names in self.groups.items():
            if len(names) < 2:
                raise ValueError(f"the group '{words}' needs two features at least")
        return self


class ValidationDefinition(Definition):
    """The designs of validation.

    Parameters
    ----------
    pooled : RepeatedFolds
        Over all participants.
    sensitivity : RepeatedFolds, optional
        The same under each other definition of the endpoint; as `pooled` unless stated.
    inside : RepeatedFolds, optional
        Within each trial alone.
    across : str, optional
        ``leave_one_trial_out`` or ``leave_one_site_out``.
    external : tuple of str, optional
        Trials that take no part in training, tuning, choice or any other design. Once the model
        is chosen and fitted to the others, it predicts them once.
    inner_folds : int
        Folds of the tuning inside each training part.
    threshold : float
        Predicted probability from which sensitivity, specificity, predictive values and the
        stability of a classification take response for predicted. At one half a false hope costs
        as much as a missed response; net benefit is reported over all thresholds.
    permutations : int, optional
        The most permutations of the tests whether there is anything to find; no tests unless
        stated. Each costs a repetition of the pooled design, and most tests stop early.
    stability : StabilityDefinition, optional
        Refits that show how predictions and predictors would differ; none unless stated.
    learning_curve : LearningCurveDefinition, optional
        What more participants would bring; not asked unless stated.
    """

    pooled: RepeatedFolds = RepeatedFolds()
    sensitivity: RepeatedFolds | None = None
    inside: RepeatedFolds | None = None
    across: Literal["leave_one_trial_out", "leave_one_site_out"] | None = None
    external: tuple[str, ...] | None = Field(default=None, min_length=1)
    inner_folds: int = Field(default=4, ge=2, le=20)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    permutations: int | None = Field(default=None, ge=19, le=100_000)
    stability: StabilityDefinition | None = None
    learning_curve: LearningCurveDefinition | None = None

    def list_by_site(self) -> list[str]:
        """List the designs that keep sites whole.

        Returns
        -------
        list of str
            By key.
        """
        folds = {"pooled": self.pooled, "sensitivity": self.sensitivity, "inside": self.inside}
        by_site = [key for key, item in folds.items() if item and item.grouped_by == "site"]
        return [*by_site, *(["across"] if self.across == "leave_one_site_out" else [])]


class Analysis(Definition):
    """An analysis: data, arms, endpoint, features, candidates and validation.

    Parameters
    ----------
    kind : str
        ``analysis``.
    description : str
        The question.
    seed : int
        The one seed from which every task's is derived.
    data : DataDefinition
        Where the data come from.
    arms : tuple of Arm
        The first active one is the one that is scored unless another is named.
    endpoint : EndpointDefinition
        What counts as response.
    sensitivity : tuple of AlternativeDefinition
        Other definitions of the endpoint under which the finding is tested: the name of a
        strategy for missing outcomes, or the keys of the endpoint that differ, with a `name`.
    population : str, optional
        Who the analysis is about, in the words of the estimand; the participants of the trials
        unless stated.
    dictionary : str
        The dictionary in ``features`` that says what the variables are.
    features : str
        A feature set in ``features``.
    models : tuple of str
        Candidates in ``models``, simplest first.
    effort : str
        What tuning may cost: ``quick``, ``standard`` or ``thorough``, as `Candidate.draws` says.
    validation : ValidationDefinition
        How they are validated.
    explanation : ExplanationDefinition
        How the chosen one is explained.
    promotion : PromotionDefinition
        What a trained model must show before it may become champion.
    """

    kind: Literal["analysis"]
    description: str
    seed: int = Field(ge=0)
    data: DataDefinition
    arms: tuple[Arm, ...] = ()
    endpoint: EndpointDefinition
    sensitivity: tuple[
        Annotated[AlternativeDefinition, BeforeValidator(read_alternative)], ...
    ] = ()
    population: str | None = None
    dictionary: str = "dictionary"
    features: str
    models: tuple[str, ...] = Field(min_length=1)
    effort: Effort = "standard"
    validation: ValidationDefinition = ValidationDefinition()
    explanation: ExplanationDefinition = ExplanationDefinition()
    promotion: PromotionDefinition = PromotionDefinition()

    @model_validator(mode="after")
    def _is_consistent(self) -> Analysis:
        twice = sorted({name for name in self.models if self.models.count(name) > 1})
        if twice:
            raise ValueError(f"the candidate '{twice[0]}' stands twice")
        names = [arm.name for arm in self.arms]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the name '{name}' stands for two arms")
        codes = [code for arm in self.arms for code in arm.all_codes]
        if len(set(codes)) < len(codes):
            raise ValueError("an arm's code stands for two arms")
        if self.arms and {arm.role for arm in self.arms} != {"active", "control"}:
            raise ValueError("the arms need at least one active and one control")
        return self

    @property
    def active_arms(self) -> tuple[str, ...]:
        """The names of the active arms, in order."""
        return tuple(arm.name for arm in self.arms if arm.role == "active")
