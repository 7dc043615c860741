"""How fast explanations are beside XGBoost's own, and how often they call noise a predictor.

Speeds are ratios to `pred_contribs` with the same booster and rows, one thread each. Error rates
are of simulated trials in which it is known which features do anything.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost
from joblib import Parallel, delayed

import glabella
from glabella.definitions.locate import Project, find_project
from glabella.explanation.attributions import collect_attributions
from glabella.explanation.noise import measure_noise
from glabella.explanation.roles import measure_role
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.candidate import Candidate, join_members
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.grouping import Grouping
from glabella.reporting.record import read_record
from glabella.reporting.render import render_report
from glabella.validation.fitting.nested import validate_candidates
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import make_repeated_folds

ROOT = Path(__file__).resolve().parents[1]
PATIENT = ("severity", "modifier", "prognostic", *(f"noise_{at}" for at in range(1, 6)))
SPECS = (
    *(FeatureSpec(name, name, "number", is_severity=name == "severity") for name in PATIENT),
    FeatureSpec("arm", "arm", "category", part="arm", levels={"a": "active", "c": "control"}),
)
# What each truth holds: the log odds ratio of a standard deviation, in the active arm and in both.
TRUTHS = {
    "no signal": (0.0, 0.0),
    "prognostic only": (0.0, 1.0),
    "predictive": (1.0, 0.0),
    "both": (1.0, 1.0),
}


def time_best(work: Callable[[], object], times: int = 3) -> float:
    """Time some work, the best of a few.

    Parameters
    ----------
    work : callable
        Without arguments.
    times : int
        How often.

    Returns
    -------
    float
        Seconds.
    """
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def show_speed(depth: int) -> None:
    """Compare both kinds of values with `pred_contribs`.

    Parameters
    ----------
    depth : int
        Of the trees.
    """
    draw = np.random.default_rng(1)
    specs = tuple(FeatureSpec(f"x{at}", f"x{at}", "number") for at in range(20))
    frame = pd.DataFrame(draw.normal(size=(100_000, 20)), columns=[s.name for s in specs])
    odds = np.exp(frame["x0"] * frame["x1"] + frame["x2"]).to_numpy()
    responded = (draw.random(len(frame)) < odds / (1 + odds)).astype(int)
    model = XGBoostModel(specs=specs, random_state=1, n_trees=200, max_depth=depth)
    model.fit(frame.iloc[:5_000], responded[:5_000])
    against = XGBoostModel(specs=specs, random_state=1, n_trees=200, max_depth=depth)
    against.fit(frame.iloc[:5_000], responded[:5_000])
    against.explain_against(frame.iloc[:300], np.full(300, 1 / 300))
    for count in (10_000, 100_000):
        rows = frame.iloc[:count]
        matrix = rows.to_numpy()

        def explain_by_xgboost(matrix: np.ndarray = matrix) -> object:
            table = xgboost.DMatrix(matrix, nthread=1)
            return model.booster_.predict(table, pred_contribs=True)

        theirs = time_best(explain_by_xgboost)
        ours = time_best(lambda rows=rows: model.contributions(rows))
        interventional = time_best(lambda rows=rows: against.contributions(rows))
        print(
            f"depth {depth}, {count} rows: path-dependent at {theirs / ours:.2f} of the rate of "
            f"pred_contribs ({'kept' if theirs / ours >= 0.9 else 'MISSED'}, 0.9); interventional "
            f"against 300 rows in {interventional / theirs:.2f} times its time "
            f"({'kept' if interventional < 10 * theirs else 'MISSED'}, 10)",
            flush=True,
        )


def show_rendering() -> None:
    """Time the report of `bont_pooled`."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        for part in ("features", "models", "pipelines"):
            (project / part).symlink_to(ROOT / part)
        (project / "mlruns").mkdir()
        result = glabella.train("bont_pooled", project=project)
        record, figures = read_record(Path(result.report).parent / "record")
        seconds = time_best(lambda: render_report(record, figures))
        size = Path(result.report).stat().st_size / 1e6
    print(
        f"the report of bont_pooled renders in {seconds:.2f} s "
        f"({'kept' if seconds < 20 else 'MISSED'}, 20) and has {size:.1f} MB "
        f"({'kept' if size < 5 else 'MISSED'}, 5)"
    )


def draw_sample(seed: int, n: int, modifies: float, prognostic: float) -> Sample:
    """Draw four trials in which it is known what each feature does.

    Parameters
    ----------
    seed : int
        Of the draw.
    n : int
        Participants.
    modifies, prognostic : float
        Log odds ratios, as in `TRUTHS`.

    Returns
    -------
    Sample
        Half in either arm.
    """
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(n, len(PATIENT))), columns=list(PATIENT))
    arm = np.tile(["a", "c"], n // 2)
    frame["arm"] = pd.Categorical(arm, categories=["a", "c"])
    odds = np.exp(
        modifies * frame["modifier"] * (arm == "a")
        + prognostic * frame["prognostic"]
        + 0.6 * (arm == "a")
        - 0.5
    ).to_numpy()
    responded = (draw.random(n) < odds / (1 + odds)).astype(np.int8)
    blank = np.full(n, "")
    trial = np.repeat(["T1", "T2", "T3", "T4"], n // 4)
    return Sample(FeatureTable(frame, SPECS), responded[None], trial, blank, blank, arm, arm == "a")


def claim(candidate: Candidate, truth: str, n: int, seed: int, permutations: int) -> dict[str, str]:
    """Say what the report would claim of each feature.

    Parameters
    ----------
    candidate : Candidate
        Which.
    truth : str
        Of `TRUTHS`.
    n : int
        Participants.
    seed : int
        Of the draw.
    permutations : int
        In each step.

    Returns
    -------
    dict of str
        Feature to its role, of those that stand out from noise.
    """
    sample = draw_sample(seed, n, *TRUTHS[truth])
    folds = make_repeated_folds(
        [sample.arm, sample.trial],
        sample.labels,
        folds=5,
        repeats=2,
        seed=derive_seed(seed, "folds"),
    )
    trainer = Trainer(sample, 3, seed)
    results = validate_candidates({"it": candidate}, trainer, folds)
    found = collect_attributions(results, sample, method="exact")
    table = found.summarise()
    importance = {
        str(row["feature"]): float(row["mean_absolute"])
        for row in table.to_dict("records")
        if row["is_patient"]
    }
    noise = measure_noise(
        candidate,
        trainer,
        [fold for fold in folds if fold.repeat == 0],
        importance,
        grouping=Grouping(),
        permutations=permutations,
    )
    claims = {}
    for name, size in importance.items():
        if noise.threshold is not None and size > noise.threshold:
            at = found.features.index(name)
            ranks = found.ranks[:, at]
            turned = ranks * np.sign(np.corrcoef(ranks, found.values[:, at])[0, 1])
            claims[name] = measure_role(sample, turned, None).role
    return claims


def show_claims(name: str, n: int, repeats: int, permutations: int, truths: Sequence[str]) -> None:
    """Count what is claimed of features where the truth is known.

    Parameters
    ----------
    name : str
        The candidate.
    n : int
        Participants.
    repeats : int
        Draws of each truth.
    permutations : int
        In each step.
    truths : sequence of str
        Of `TRUTHS`.
    """
    project: Project = find_project(ROOT)
    read = {
        path.stem: project.read("models", path.stem, Candidate).value
        for path in sorted((ROOT / "models").glob("*.yaml"))
    }
    candidate = join_members(read[name], read)
    for truth in truths:
        modifies, prognostic = TRUTHS[truth]
        claims = Parallel(2)(
            delayed(claim)(candidate, truth, n, 10_000 + seed, permutations)
            for seed in range(repeats)
        )
        strengths = {"modifier": modifies, "prognostic": prognostic}
        real = {feature for feature, strength in strengths.items() if strength}
        false = np.mean([bool(set(each) - real) for each in claims])
        error = np.sqrt(max(false * (1 - false), 0.05 * 0.95) / repeats)
        words = [
            f"{feature} found in {np.mean([feature in each for each in claims]):.2f}, as "
            f"{'of the effect' if feature == 'modifier' else 'prognostic'} in "
            + f"{np.mean([_is_right(feature, each.get(feature)) for each in claims]):.2f}"
            for feature in sorted(real)
        ]
        wrong = np.mean(
            [each.get("prognostic") == "of the effect" for each in claims] if prognostic else [0.0]
        )
        print(
            f"{name}, {truth}, n = {n}, {repeats} draws: some feature that does nothing is called "
            f"a predictor in {false:.3f} (0.05 promised, Monte Carlo error {error:.3f}); "
            + "; ".join(words)
            + (f"; called of the effect though prognostic in {wrong:.3f}" if prognostic else ""),
            flush=True,
        )


def _is_right(feature: str, role: str | None) -> bool:
    return role == ("of the effect" if feature == "modifier" else "prognostic")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--permutations", type=int, default=39)
    parser.add_argument("--n", type=int, nargs="+", default=[200])
    parser.add_argument("--truths", nargs="+", choices=TRUTHS, default=list(TRUTHS))
    parser.add_argument("--model", default="ridge")
    parser.add_argument("--only", choices=("speed", "claims", "rendering"))
    asked = parser.parse_args()
    if asked.only in (None, "speed"):
        for depth in (2, 4):
            show_speed(depth)
    if asked.only in (None, "rendering"):
        show_rendering()
    if asked.only in (None, "claims"):
        for n in asked.n:
            show_claims(asked.model, n, asked.repeats, asked.permutations, asked.truths)


if __name__ == "__main__":
    main()
