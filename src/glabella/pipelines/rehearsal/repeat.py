"""One repeat of a rehearsal: trials drawn and trained on, and the truth on a fresh draw."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.analysis.explanation_plan import plan_for
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.analysis.resolve import ResolvedAnalysis
from glabella.errors import GlabellaError
from glabella.pipelines.rehearsal.fresh_trials import (
    RehearsalPlan,
    draw_same_trials,
    draw_tested,
    draw_trial,
    load_rehearsed,
    split_into_halves,
)
from glabella.pipelines.training.candidate_explanation import explain_chosen
from glabella.pipelines.training.cross_validation import CrossValidation, run_validation
from glabella.pipelines.training.explanation import Explanation
from glabella.pipelines.training.optimism import correct_for_choice
from glabella.pipelines.training.parts.permutation_tests import run_permutations
from glabella.pipelines.training.refits import refit_chosen
from glabella.reporting.finding import read_verdict
from glabella.simulation.limits import ITEMS_OF, describe_variables
from glabella.simulation.scenario.definition import SEVERITY, Scenario
from glabella.validation.across_trials.pooled_measures import pool_groups
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.comparison.choice import choose_by_inner_losses
from glabella.validation.comparison.procedure import PROCEDURE
from glabella.validation.fitting.nested import order_candidates
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.fitting.workers import keep_one_thread
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Fold, Rows
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.performance import measure_performance
from glabella.validation.measures.registry import MEASURES

DESIGNS = ("pooled", "inside", "across")


@dataclass(frozen=True)
class Repeat:
    """What one repeat came to.

    Parameters
    ----------
    number : int
        Which.
    about : dict
        ``n``, ``events``, ``chosen``, ``verdict`` (the finding in a word), ``seconds``, and
        ``failure``: why it ended, blank where it did not.
    figures : list of dict
        As `glabella.validation.adequacy.simulation_study.tabulate_repeats` takes them.
    claims : list of dict
        As `glabella.validation.adequacy.simulation_study.tabulate_claims` takes them.
    """

    number: int
    about: dict[str, Any]
    figures: list[dict[str, Any]]
    claims: list[dict[str, Any]]


def rehearse_once(plan: RehearsalPlan, number: int) -> Repeat:
    """Draw the trials, train on them, and hold what is reported against the truth."""
    started = time.perf_counter()
    about: dict[str, Any] = {"repeat": number, "failure": ""}
    figures: list[dict[str, Any]] = []
    claims: list[dict[str, Any]] = []
    try:
        with keep_one_thread():
            once = _RepeatInProgress.draw(plan, number)
            about |= once.describe()
            figures += once.list_figures()
            claims += once.list_claims()
    except GlabellaError as error:
        about["failure"] = error.finding
        figures, claims = [], []
    about["seconds"] = time.perf_counter() - started
    for row in (*figures, *claims):
        row["repeat"] = number
    return Repeat(number, about, figures, claims)


@dataclass(frozen=True)
class _RepeatInProgress:
    plan: RehearsalPlan
    number: int
    loaded: LoadedAnalysis
    validated: CrossValidation

    @classmethod
    def draw(cls, plan: RehearsalPlan, number: int) -> _RepeatInProgress:
        loaded = load_rehearsed(plan, number)
        return cls(plan, number, loaded, run_validation(loaded, by_arm=False))

    @property
    def candidates(self) -> dict[str, CandidateResult]:
        """Those that did not fail, and the procedure where there was a choice."""
        found = {
            name: item for name, item in self.validated.candidates.items() if item.error is None
        }
        if self.validated.against_chosen:
            found[PROCEDURE] = self.validated.procedure
        return found

    def describe(self) -> dict[str, Any]:
        failed = [item for item in self.validated.candidates.values() if item.error is not None]
        return {
            "n": self.loaded.sample.n,
            "events": float(self.loaded.sample.events),
            "chosen": self.validated.choice.name,
            "verdict": read_verdict(self.validated.procedure, self.validated.differences),
            "failed_candidates": len(failed),
        }

    def list_figures(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for design in DESIGNS:
            folds = [fold for fold in self.loaded.plan.folds if fold.design == design]
            if not folds:
                continue
            fold = folds[self.number % len(folds)]
            reached = self._measure_on_fresh(fold)
            for name, item in self.candidates.items():
                rows += self._list_of(name, item, reached[name], fold)
            if design == "pooled" and PROCEDURE in reached:
                rows += self._list_corrected(reached[self.validated.choice.name])
        return rows

    def _list_of(
        self, name: str, item: CandidateResult, reached: Reached, fold: Fold
    ) -> Iterator[dict[str, Any]]:
        design = fold.design

        def make_row(kind: str, measure: str, shown: Estimate, weight: float) -> dict[str, Any]:
            return _make_row(design, name, kind, measure, shown, reached, weight)

        performance = {"pooled": item.pooled, "across": item.across}.get(design)
        if performance is not None:
            for measure, described in MEASURES.items():
                # Over trials left out, others, such as a slope, mix trials in a way that no single
                # new trial shows.
                if design != "pooled" and described.weighed_by is None:
                    continue
                yield make_row(
                    "estimate",
                    measure,
                    performance.estimates[measure],
                    self._find_weight(fold, measure),
                )
        groups = {"inside": item.inside or (), "across": item.groups}.get(design, ())
        for measure, pooled in (pool_groups(groups) if groups else {}).items():
            yield make_row("mean over trials", measure, pooled.estimate, 1.0)
            hartung_knapp = "mean over trials, Hartung and Knapp"
            yield make_row(hartung_knapp, measure, pooled.hartung_knapp, 1.0)
            if design == "across":
                for known in pooled.predictions:
                    yield make_row(
                        f"prediction, {known.method}",
                        measure,
                        Estimate(pooled.estimate.value, known.low, known.high),
                        1.0,
                    )
        for gain in item.gains.get(design, ()):
            for measure, shown in gain.estimates.items():
                yield make_row(
                    f"over {gain.against}",
                    _name_gain(measure, gain.against),
                    shown,
                    self._find_weight(fold, measure),
                )

    def _list_corrected(self, reached: Reached) -> Iterator[dict[str, Any]]:
        """The best by its own cross-validation, and the same corrected for the choice."""
        corrected = correct_for_choice(self.loaded, self.validated)
        for measure, shown, naive in (
            ("auc", corrected.auc, corrected.naive_auc),
            ("log_loss", corrected.log_loss, corrected.naive_log_loss),
        ):
            for kind, each in (("corrected", shown), ("naive best", Estimate(naive))):
                yield _make_row("pooled", "chosen", kind, measure, each, reached, 1.0)

    def _find_weight(self, fold: Fold, measure: str) -> float:
        """The weight of a left-out trial's truth: its share of participants, or of pairs."""
        if fold.design != "across":
            return 1.0
        sample = self.loaded.sample
        by = MEASURES[measure].weighed_by
        if by == "participants":
            return len(fold.test) / sample.n
        counted = sample.active if by == "active pairs" else ~sample.active
        everybody = _count_pairs(sample, np.flatnonzero(counted))
        return _count_pairs(sample, fold.test[counted[fold.test]]) / everybody if everybody else 0.0

    def _measure_on_fresh(self, fold: Fold) -> dict[str, Reached]:
        """What each candidate reaches, trained as in a fold, on participants whom it never saw."""
        if fold.design == "pooled":
            parts, tested = self._draw_alike(fold), draw_tested(self.plan, self.number)
            halves = split_into_halves(
                tested, derive_seed(self.plan.seed, "deal tested", self.number)
            )
            first, second = (
                self._learn(*part, tested, rows) for part, rows in zip(parts, halves, strict=True)
            )
            return {name: Reached(first[name], second[name]) for name in first}
        fresh = draw_trial(self.plan, self.number, fold)
        found = self._learn(self.loaded.sample, fold, fresh, np.arange(fresh.n))
        return {name: Reached(values, {}) for name, values in found.items()}

    def _draw_alike(self, fold: Fold) -> list[tuple[Sample, Fold]]:
        """Draw two more training parts of the same trials, of the size of a fold's."""
        share = len(fold.train) / self.loaded.sample.n
        wanted = math.ceil(share * self.plan.scenario.size)
        pool = draw_same_trials(self.plan, self.number, self.plan.scenario, 2 * wanted, "learn")
        seed = derive_seed(self.plan.seed, "deal learnt", self.number)
        nobody = np.array([], dtype=int)
        return [
            (pool, replace(fold, train=rows, test=nobody)) for rows in split_into_halves(pool, seed)
        ]

    def _learn(
        self, sample: Sample, fold: Fold, tested: Sample, rows: Rows
    ) -> dict[str, dict[str, float]]:
        """Fit each candidate to a training part, choose, and measure on some of those tested."""
        resolved = self.loaded.resolved
        analysis = resolved.analysis.value
        candidates = {
            name: read.value
            for name, read in resolved.candidates.items()
            if self.validated.candidates[name].error is None
        }
        trainer = replace(self.loaded.trainer, sample=sample)
        outcomes = trainer.complete_fold(fold)
        eligible = [name for name in candidates if name not in resolved.references]
        frame = tested.features.take(rows)
        fitted: dict[str, TunedModel] = {}
        found: dict[str, dict[str, float]] = {}
        for name in order_candidates(candidates):
            tuned = trainer.fit_on_fold(
                candidates[name],
                fold,
                outcomes=outcomes,
                is_weighed=len(eligible) > 1 and name in eligible,
                known=fitted,
            )
            fitted |= {**tuned.members, name: tuned}
            probability = fitted[name].model.predict_proba(frame)[:, 1]
            found[name] = _measure_fresh(
                probability, tested, rows, threshold=analysis.validation.threshold
            )
        if PROCEDURE in self.candidates:
            inner = {name: fitted[name].inner for name in eligible}
            known = {name: losses for name, losses in inner.items() if losses is not None}
            chosen = choose_by_inner_losses(known).name if len(known) == len(inner) else eligible[0]
            found[PROCEDURE] = dict(found[chosen])
        for name, values in found.items():
            for reference in resolved.references:
                if reference in found and name != reference:
                    found[name] = values = values | _subtract(values, found[reference], reference)
        return found

    def list_claims(self) -> list[dict[str, Any]]:
        rows = []
        for design in DESIGNS:
            for name, item in self.candidates.items():
                for reference, gain in ((g.against, g) for g in item.gains.get(design, ())):
                    if gain.p_holm is not None:
                        claim = f"{design}: better than {reference}"
                        rows.append(_count_claim(claim, name, gain.is_better, None))
        permutations = run_permutations(self.loaded)
        if permutations is not None:
            for claim, test in (
                ("permutation test: there is anything", permutations.anything),
                ("permutation test: beyond severity", permutations.beyond_severity),
            ):
                if test.p_value is not None:
                    rows.append(_count_claim(claim, "procedure", test.rejects, None))
        asked = self.loaded.analysis.explanation
        if asked.refits or asked.permutations:
            chosen = self.validated.choice.name
            budget = plan_for(self.loaded, chosen)
            refits = refit_chosen(self.loaded, chosen, budget)
            explained = explain_chosen(self.loaded, self.validated, refits, budget)
            rows += self._list_predictors(explained)
        return rows

    def _list_predictors(self, explained: Explanation) -> Iterator[dict[str, Any]]:
        roles = find_true_roles(self.loaded.resolved, self.plan.scenario)
        for item in explained.patient:
            truth = roles.get(item.feature)
            if item.is_beyond_noise is not None:
                yield _count_claim(
                    "stands out from noise",
                    item.feature,
                    item.is_beyond_noise,
                    None if truth is None else truth != "neither",
                )
            told = item.role.role if item.role is not None else "can't be told"
            said = bool(item.is_beyond_noise is not False)
            yield _count_claim(
                "predictor of the effect",
                item.feature,
                said and told.startswith("of the effect"),
                None if truth is None else "predictive" in truth,
            )
            yield _count_claim(
                "prognostic",
                item.feature,
                said and told == "prognostic",
                None if truth is None else truth.startswith("prognostic"),
            )


def find_true_roles(resolved: ResolvedAnalysis, scenario: Scenario) -> dict[str, str]:
    """Say what each feature truly is in a scenario.

    Returns
    -------
    dict of str
        Feature to ``neither``, ``prognostic``, ``predictive`` or ``prognostic and predictive`` in
        some trial at least; features that are no variable of the simulator are left out.
    """
    variables = describe_variables(scenario)
    weighed = {name for trial in scenario.trials for name in scenario.find_effects(trial)}
    moved = variables["variable"].isin(weighed)
    if scenario.between_trials.weights_sd > 0:
        variables.loc[moved & (variables["role"] == "neither"), "role"] = "prognostic"
    if scenario.between_trials.predictive_sd > 0:
        variables.loc[moved & (variables["role"] == "neither"), "role"] = "predictive"
        both = moved & (variables["role"] == "prognostic")
        variables.loc[both, "role"] = "prognostic and predictive"
    found = {}
    endpoint = resolved.analysis.value.endpoint.of
    for feature in resolved.feature_set.value.features:
        variable = SEVERITY if feature.variable == endpoint else feature.variable
        variable = ITEMS_OF.get(variable, variable)
        roles = set(variables.loc[variables["variable"] == variable, "role"])
        if roles:
            parts = {part for role in roles for part in role.split(" and ")} - {"neither"}
            found[feature.name] = " and ".join(sorted(parts, reverse=True)) or "neither"
    return found


@dataclass(frozen=True)
class Reached:
    """What a candidate reaches on participants whom it never saw, by measure.

    Parameters
    ----------
    values : dict of float
        After one training.
    again : dict of float
        After another, independent one, where that tells chance of training from what is these
        trials' own; empty where it does not.
    """

    values: dict[str, float]
    again: dict[str, float]


def _measure_fresh(
    probability: npt.NDArray[np.float64], tested: Sample, rows: Rows, *, threshold: float
) -> dict[str, float]:
    """Value the measures on fresh participants; what has no value is left out."""
    predictions = pd.DataFrame(
        {"row": rows, "repeat": 0, "fold": 0, "group": "", "probability": probability}
    )
    found = measure_performance(predictions, tested, threshold=threshold).estimates
    return {name: item.value for name, item in found.items() if item.value is not None}


def _subtract(
    mine: Mapping[str, float], other: Mapping[str, float], reference: str
) -> dict[str, float]:
    """Above 0 for the better, as gains are."""
    compared = (name for name, item in MEASURES.items() if item.compare is not None)
    return {
        _name_gain(name, reference): mine[name] - other[name]
        if MEASURES[name].better == "higher"
        else other[name] - mine[name]
        for name in compared
        if name in mine and name in other
    }


def _name_gain(measure: str, reference: str) -> str:
    return f"gain_{measure} over {reference}"


def _make_row(
    design: str,
    candidate: str,
    kind: str,
    measure: str,
    shown: Estimate,
    reached: Reached,
    weight: float,
) -> dict[str, Any]:
    named, *_ = measure.split(" over ")
    return {
        "design": design,
        "candidate": candidate,
        "kind": kind,
        "measure": named,
        "value": _convert_none(shown.value),
        "low": _convert_none(shown.low),
        "high": _convert_none(shown.high),
        "truth": _convert_none(reached.values.get(measure)),
        "again": _convert_none(reached.again.get(measure)),
        "weight": weight,
    }


def _count_pairs(sample: Sample, rows: Rows) -> float:
    """Count the pairs of a responder and another of the same stratum, as concordance does."""
    cells = pd.factorize(sample.strata[rows])[0]
    responders = np.array([np.bincount(cells, weights=each) for each in sample.outcomes[:, rows]])
    return float((responders * (np.bincount(cells) - responders)).sum())


def _convert_none(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _count_claim(claim: str, of: str, made: bool, true: bool | None) -> dict[str, Any]:
    return {"claim": claim, "of": of, "made": bool(made), "true": true}
