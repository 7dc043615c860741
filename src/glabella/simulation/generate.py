"""Simulates trials: participants, their visits, and the truth beside them.

A first sketch: a latent improvement at week 6 with a prognostic part, a course over the weeks, and
leaving at a constant rate.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from scipy.stats import truncnorm

from glabella.data.ingest.raw import RawTable
from glabella.data.ingest.sources import AssessmentsFile, ParticipantsFile, TrialSource
from glabella.errors import DataError
from glabella.simulation.new_patients import make_new_patients
from glabella.simulation.scenario import (
    ENDPOINT_WEEK,
    Scenario,
    ScenarioTrial,
    Spread,
)
from glabella.simulation.truth import compute_probability, compute_prognosis

PARTICIPANTS_FILE = "participants.csv"
ASSESSMENTS_FILE = "assessments.csv"
NEW_PATIENTS_FILE = "new_patients.csv"
TRUTH_FILE = "truth/truth.csv"

# Simulated tables pass through the same mapping as real ones, in memory or read back.
CANONICAL_SOURCE = TrialSource(
    name="simulated",
    participants=ParticipantsFile(
        file=PARTICIPANTS_FILE,
        id="usubjid",
        trial="studyid",
        site="siteid",
        cohort="cohort",
        arm="arm",
        scale="scale",
        variables={
            name: name
            for name in ("age_years", "sex", "illness_months", "antidepressant", "dose_units")
        },
    ),
    assessments=(
        AssessmentsFile(
            file=ASSESSMENTS_FILE,
            id="usubjid",
            trial="studyid",
            parameter="paramcd",
            week="week",
            value="aval",
        ),
    ),
)

# Grades 0 to 3 at maximum frown in adults who seek treatment: assumed, no baseline is published.
_FROWN_SHARES = np.array([0.05, 0.25, 0.45, 0.25])
# Botulinum toxin relaxes the injected muscle for about three months.
_RELAXED_UNTIL_WEEK = 12.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Simulated:
    """Simulated tables, as they would be read from files.

    Parameters
    ----------
    participants : DataFrame
        One row a participant.
    assessments : DataFrame
        One row a participant, variable and visit.
    new_patients : DataFrame
        One row a participant to be scored, as text, some of them faulty.
    truth : DataFrame
        One row a participant: ``probability_active``, ``probability_control`` of response at
        week 6, ``benefit`` (their difference) and ``prognosis``.
    """

    participants: pd.DataFrame
    assessments: pd.DataFrame
    new_patients: pd.DataFrame
    truth: pd.DataFrame

    def raw_tables(self) -> dict[str, RawTable]:
        """Give the tables by the names that `CANONICAL_SOURCE` maps.

        Returns
        -------
        dict of RawTable
            Participants and assessments.
        """
        return {
            PARTICIPANTS_FILE: RawTable(self.participants),
            ASSESSMENTS_FILE: RawTable(self.assessments),
        }


def simulate_trials(scenario: Scenario, *, seed: int) -> Simulated:
    """Simulate every trial of a scenario.

    Parameters
    ----------
    scenario : Scenario
        The trials.
    seed : int
        The same seed gives the same tables. Each trial draws from a seed of its own, so that
        adding one changes no other.

    Returns
    -------
    Simulated
        Tables and truth.
    """
    parts = [_simulate_trial(scenario, trial, _spawn(seed, trial.id)) for trial in scenario.trials]
    return Simulated(
        participants=pd.concat([part[0] for part in parts], ignore_index=True),
        assessments=pd.concat([part[1] for part in parts], ignore_index=True),
        new_patients=_simulate_new_patients(scenario, _spawn(seed, "new patients")),
        truth=pd.concat([part[2] for part in parts], ignore_index=True),
    )


def write_simulated(simulated: Simulated, folder: Path) -> list[Path]:
    """Write the tables as CSV; never overwrite.

    Parameters
    ----------
    simulated : Simulated
        The tables.
    folder : Path
        Made if need be.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    DataError
        If a file is there already or can't be written.
    """
    tables = {
        PARTICIPANTS_FILE: simulated.participants,
        ASSESSMENTS_FILE: simulated.assessments,
        NEW_PATIENTS_FILE: simulated.new_patients,
        TRUTH_FILE: simulated.truth,
    }
    there = [name for name in tables if (folder / name).exists()]
    if there:
        raise DataError(
            f"'{there[0]}' is there already, and nothing is overwritten",
            place=str(folder),
            remedy="Name an empty folder with --out.",
        )
    partials = {name: folder / f"{name}.partial" for name in tables}
    try:
        for name, table in tables.items():
            partials[name].parent.mkdir(parents=True, exist_ok=True)
            table.to_csv(partials[name], index=False, lineterminator="\n")
        for name, partial in partials.items():
            partial.rename(folder / name)
    except OSError as error:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
        raise DataError(
            f"the tables can't be written: {error.strerror}", place=str(folder)
        ) from None
    return [folder / name for name in tables]


def _spawn(seed: int, label: str) -> np.random.Generator:
    key = (zlib.crc32(label.encode()),)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _simulate_trial(
    scenario: Scenario, trial: ScenarioTrial, draw: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    which = np.repeat(np.arange(len(trial.arms)), [arm.n for arm in trial.arms])
    which = draw.permutation(which)
    people = _draw_people(trial, len(which), draw)
    arms = [trial.arms[index] for index in which]
    people.insert(0, "studyid", trial.id)
    people.insert(1, "usubjid", [f"{trial.id}-{index + 1:03d}" for index in range(len(people))])
    people.insert(2, "siteid", _assign_sites(trial, [arm.cohort for arm in arms], draw))
    people.insert(3, "cohort", [arm.cohort for arm in arms])
    people.insert(4, "arm", [arm.code for arm in arms])
    people.insert(5, "scale", trial.scale)
    women = (people["sex"] == "F").to_numpy()
    doses = [
        arm.units_women if woman else arm.units_men for arm, woman in zip(arms, women, strict=True)
    ]
    people["dose_units"] = pd.Series(doses, dtype="float64")

    covariates = _as_numbers(people)
    prognosis = compute_prognosis(covariates, scenario.prognostic)
    both = {
        name: scenario.prognostic.get(name, 0.0) + scenario.predictive.get(name, 0.0)
        for name in dict.fromkeys((*scenario.prognostic, *scenario.predictive))
    }
    treated_prognosis = compute_prognosis(covariates, both)
    active = np.array([arm.role == "active" for arm in arms])
    mine = np.where(active, treated_prognosis, prognosis)
    rates = np.array([arm.response for arm in arms])
    noise = draw.standard_normal(len(people))
    latent = scenario.signal * mine + np.sqrt(1.0 - scenario.signal**2) * noise + ndtri(rates)

    relaxed = np.array([arm.relaxes_frown for arm in arms])
    assessments = _make_visits(scenario, trial, people, latent, relaxed, draw)
    truth = _tell_truth(scenario, trial, people, prognosis, treated_prognosis)
    return people.drop(columns=["baseline", "frown_max", "frown_rest"]), assessments, truth


def _draw_people(trial: ScenarioTrial, n: int, draw: np.random.Generator) -> pd.DataFrame:
    shares = np.where(np.arange(4) >= trial.least_frown, _FROWN_SHARES, 0.0)
    frown_max = draw.choice(4, size=n, p=shares / shares.sum())
    frown_rest = draw.binomial(frown_max, 0.4)
    return pd.DataFrame(
        {
            "age_years": np.round(_draw_spread(trial.age_years, n, draw)).astype(int),
            "sex": np.where(draw.random(n) < trial.women, "F", "M"),
            "illness_months": np.round(10 ** _draw_spread(trial.illness_months, n, draw)).astype(
                int
            ),
            "antidepressant": np.where(draw.random(n) < trial.antidepressant, "yes", "no"),
            "baseline": np.round(_draw_spread(trial.baseline, n, draw)).astype(int),
            "frown_max": frown_max,
            "frown_rest": frown_rest,
        }
    )


def _draw_spread(spread: Spread, n: int, draw: np.random.Generator) -> Floats:
    low, high = (spread.low - spread.mean) / spread.sd, (spread.high - spread.mean) / spread.sd
    quantiles = truncnorm.ppf(draw.random(n), low, high)
    return np.asarray(spread.mean + spread.sd * quantiles, dtype=float)


def _assign_sites(trial: ScenarioTrial, cohorts: list[str], draw: np.random.Generator) -> list[str]:
    """Assign sites; where there are cohorts, a site belongs to one of them, as in the trial."""
    names = sorted(set(cohorts))
    shares = np.array_split(np.arange(trial.sites), len(names))
    of_cohort = dict(zip(names, shares, strict=True))
    return [f"{trial.id}-{draw.choice(of_cohort[cohort]) + 1:02d}" for cohort in cohorts]


def _as_numbers(people: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "severity": people["baseline"],
            "frown_max": people["frown_max"],
            "frown_rest": people["frown_rest"],
            "age_years": people["age_years"],
            "sex": people["sex"] == "F",
            "illness_months": np.log1p(people["illness_months"]),
            "antidepressant": people["antidepressant"] == "yes",
        }
    ).astype(float)


def _make_visits(
    scenario: Scenario,
    trial: ScenarioTrial,
    people: pd.DataFrame,
    latent: Floats,
    relaxed: npt.NDArray[np.bool_],
    draw: np.random.Generator,
) -> pd.DataFrame:
    rate = -np.log1p(-trial.dropout.share) / trial.dropout.by_week
    leaves = draw.exponential(1.0 / rate, len(people)) if rate > 0 else np.full(len(people), np.inf)
    baseline = people["baseline"].to_numpy()
    improvement = 50.0 + scenario.spread * latent
    weeks, shares = zip(*sorted(scenario.course.items()), strict=True)
    parts = []
    for week in trial.weeks:
        noise = scenario.visit_noise * draw.standard_normal(len(people))
        if week == 0:
            score = baseline
        elif week == ENDPOINT_WEEK:
            score = _score_endpoint(baseline, improvement)
        else:
            fall = improvement * np.interp(week, weeks, shares) + noise
            score = np.round(baseline * (1.0 - fall / 100.0))
        score = np.clip(score, 0, trial.rating.maximum).astype(int)
        faded = 2 * (relaxed & (0 < week < _RELAXED_UNTIL_WEEK))
        frown_max = np.maximum(people["frown_max"] - faded, 0)
        values = {
            "depression_total": score,
            "frown_max": frown_max,
            "frown_rest": np.minimum(people["frown_rest"], frown_max),
            **_split_into_items(trial, score, draw),
        }
        still_in = leaves > week
        for name, column in values.items():
            part = people.loc[still_in, ["studyid", "usubjid"]]
            parts.append(part.assign(paramcd=name, week=week, aval=np.asarray(column)[still_in]))
    return pd.concat(parts, ignore_index=True)


def _score_endpoint(baseline: npt.NDArray[np.int_], improvement: Floats) -> npt.NDArray[np.int_]:
    """Round to whole points without carrying anyone over the border of response.

    So the stated probability of a fall by half is exactly the probability of the score.
    """
    rounded = np.round(baseline * (1.0 - improvement / 100.0)).astype(int)
    half = baseline // 2
    scored = np.where(improvement >= 50.0, np.minimum(rounded, half), np.maximum(rounded, half + 1))
    return np.asarray(scored, dtype=int)


def _split_into_items(
    trial: ScenarioTrial, score: npt.NDArray[np.int_], draw: np.random.Generator
) -> dict[str, npt.NDArray[np.int_]]:
    """Spread each total over the items, only in trials that used the HAM-D."""
    if not trial.scale.startswith("hamd"):
        return {}
    maxima = trial.rating.item_maxima
    items = np.zeros((len(score), len(maxima)), dtype=int)
    for total in np.unique(score):
        rows = score == total
        items[rows] = draw.multivariate_hypergeometric(maxima, int(total), size=int(rows.sum()))
    return {f"hamd{index + 1:02d}": items[:, index] for index in range(len(maxima))}


def _tell_truth(
    scenario: Scenario,
    trial: ScenarioTrial,
    people: pd.DataFrame,
    prognosis: Floats,
    treated_prognosis: Floats,
) -> pd.DataFrame:
    """State both arms' probabilities; a participant's cohort decides which arms these are."""
    rates = {(arm.cohort, arm.role): arm.response for arm in trial.arms}
    active = np.array([rates[cohort, "active"] for cohort in people["cohort"]])
    control = np.array([rates[cohort, "control"] for cohort in people["cohort"]])
    by_arm = {}
    for name, line, rate in (
        ("probability_active", treated_prognosis, active),
        ("probability_control", prognosis, control),
    ):
        by_arm[name] = np.empty(len(people))
        for value in np.unique(rate):
            rows = rate == value
            by_arm[name][rows] = compute_probability(
                line[rows], response=float(value), signal=scenario.signal
            )
    truth = people[["studyid", "usubjid"]].assign(**by_arm)
    truth["benefit"] = truth["probability_active"] - truth["probability_control"]
    truth["prognosis"] = prognosis
    return truth


def _simulate_new_patients(scenario: Scenario, draw: np.random.Generator) -> pd.DataFrame:
    """Draw patients like those of all trials, in a mixture by size."""
    sizes = np.array([sum(arm.n for arm in trial.arms) for trial in scenario.trials], dtype=float)
    rows = scenario.new_patients.rows
    counts = draw.multinomial(rows, sizes / sizes.sum())
    parts = [
        _draw_people(trial, int(count), draw).assign(scale=trial.scale)
        for trial, count in zip(scenario.trials, counts, strict=True)
    ]
    return make_new_patients(
        pd.concat(parts, ignore_index=True), scenario.new_patients.faulty, draw
    )
