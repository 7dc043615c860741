"""The shipped candidates beside what a user would pick instead, on real tables.

Peers are scikit-learn's logistic regression with its defaults and with its own tuning, and XGBoost
with its defaults and under a random search. Every figure is of the same outer folds.
"""

from __future__ import annotations

import argparse
import os
import re
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import loguniform, randint, uniform
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from glabella.definitions.locate import find_project
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.candidate import Candidate, Effort, join_members
from glabella.models.space import Space
from glabella.validation.comparison.choice import choose_by_inner_losses
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed

DEFAULT = "chosen by the rule"
CHOSEN_FROM = ["ridge", "ensemble"]
WITH_SCORES = "score_regression"
OURS = ["ridge", "spline", "xgboost", "boosted_forest", "random_forest", "ensemble"]
PEERS = ["logistic regression", "LogisticRegressionCV", "XGBoost defaults", "XGBoost searched"]
MOST_WORSE = 0.01
LEAST_SPEED = 4.0
MOST_SECONDS = 20
INNER_FOLDS = 5
_ARMS = {"arm", "treat", "rx", "TRT01P", "treatment"}

Margin = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Table:
    """A shared table with one of its outcomes.

    Parameters
    ----------
    name, outcome : str
        The folder and the column.
    margin : callable, optional
        How far beyond the threshold of response each score lies, where a score decides.
    """

    name: str
    outcome: str
    margin: Margin | None = None

    @property
    def label(self) -> str:
        """The name in results."""
        return f"{self.name} {self.outcome}"


TABLES = [
    Table("actg175", "event"),
    Table("actg175", "cd4_response_w20", lambda d: (d["cd420"] - 1.1 * d["cd40"]) / 1000),
    Table(
        "cdystonia_bont", "response20_w4", lambda d: (0.8 * d["twstrs_w0"] - d["twstrs_w4"]) / 85
    ),
    Table("dvt_ipd", "dvt"),
    Table("heart_disease_4sites", "disease"),
    Table("indomethacin_pep", "pep_y"),
    Table("cdisc_pilot", "RESP4_W24", lambda d: (d["ACTOT_BASE"] - d["ACTOT_W24"] - 4) / 70),
    Table("cdisc_pilot", "IMPROVED_W24", lambda d: (d["ACTOT_BASE"] - d["ACTOT_W24"] - 0.5) / 70),
    Table(
        "jobs2_depression",
        "response50",
        lambda d: (0.5 * (d["depress1"] - 1) - (d["depress2"] - 1)) / 4,
    ),
    Table("beat_the_blues", "response_2m", lambda d: (0.5 * d["bdi_pre"] - d["bdi_2m"]) / 63),
    Table("beat_the_blues", "response_last", lambda d: (0.5 * d["bdi_pre"] - d["bdi_last"]) / 63),
]


def read_table(folder: Path, table: Table) -> tuple[Sample, pd.DataFrame]:
    """Read a table's features as its data sheet lists them.

    Parameters
    ----------
    folder : Path
        The shared tables.
    table : Table
        Which.

    Returns
    -------
    tuple of Sample and DataFrame
        For our candidates, and the same columns for the peers.
    """
    data = pd.read_csv(folder / table.name / "data.csv")
    sheet = (folder / table.name / "DATASHEET.md").read_text(encoding="utf-8")
    listed = re.search(rf"Features for `{table.outcome}`: (.*)\.\n", sheet)
    if listed is None:
        raise SystemExit(f"the data sheet of {table.name} lists no features")
    data = data[data[table.outcome].notna()].reset_index(drop=True)
    columns = data[listed[1].split(", ")]
    frame, specs = pd.DataFrame(index=columns.index), []
    for name, values in columns.items():
        part = "arm" if name in _ARMS else "patient"
        if pd.api.types.is_numeric_dtype(values):
            specs.append(FeatureSpec(str(name), str(name), "number", part=part))
            frame[name] = values.astype(float)
        else:
            levels = {level: level for level in sorted(values.dropna().unique())}
            specs.append(
                FeatureSpec(
                    str(name),
                    str(name),
                    "category",
                    part=part,
                    levels=levels,
                )
            )
            frame[name] = values.astype(pd.CategoricalDtype(list(levels)))
    blank = np.full(len(frame), "", dtype=str)
    sample = Sample(
        features=FeatureTable(frame, tuple(specs)),
        outcomes=data[table.outcome].to_numpy(dtype=np.int8)[None],
        trial=blank,
        site=blank,
        cohort=blank,
        arm=blank,
        active=np.ones(len(frame), dtype=bool),
        margin=None if table.margin is None else table.margin(data).to_numpy(dtype=float),
    )
    return sample, columns


def make_peers(seed: int) -> dict[str, Pipeline]:
    """Make what a user would pick instead.

    Parameters
    ----------
    seed : int
        Of what they draw.

    Returns
    -------
    dict of Pipeline
        By name.
    """

    def prepare(*, for_trees: bool) -> Pipeline:
        numbers = (
            "passthrough"
            if for_trees
            else make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        )
        categories = make_pipeline(
            SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
        )
        return make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (categories, make_column_selector(dtype_exclude="number")),
            sparse_threshold=0.0,
        )

    trees = XGBClassifier(n_jobs=1, random_state=seed)
    search = RandomizedSearchCV(
        make_pipeline(prepare(for_trees=True), trees),
        {
            "xgbclassifier__n_estimators": randint(20, 301),
            "xgbclassifier__max_depth": randint(1, 6),
            "xgbclassifier__learning_rate": loguniform(0.01, 0.3),
            "xgbclassifier__min_child_weight": loguniform(1, 10),
            "xgbclassifier__reg_lambda": loguniform(0.5, 20),
            "xgbclassifier__subsample": uniform(0.5, 0.5),
            "xgbclassifier__colsample_bytree": uniform(0.4, 0.6),
        },
        n_iter=20,
        cv=INNER_FOLDS,
        scoring="neg_log_loss",
        random_state=seed,
    )
    return {
        PEERS[0]: make_pipeline(prepare(for_trees=False), LogisticRegression()),
        PEERS[1]: make_pipeline(
            prepare(for_trees=False),
            LogisticRegressionCV(scoring="neg_log_loss", cv=INNER_FOLDS, max_iter=1000),
        ),
        PEERS[2]: make_pipeline(prepare(for_trees=True), trees),
        PEERS[3]: search,
    }


def run_fold(
    folder: Path,
    table: Table,
    candidates: dict[str, Candidate],
    with_peers: bool,
    repeat: int,
    fold: int,
) -> list[dict[str, object]]:
    """Fit everything to one training part.

    Parameters
    ----------
    folder : Path
        The shared tables.
    table : Table
        Which.
    candidates : dict of Candidate
        Ours.
    with_peers : bool
        Whether peers are fitted too.
    repeat, fold : int
        Which split.

    Returns
    -------
    list of dict
        A row a model: its figures and seconds.
    """
    warnings.simplefilter("ignore")
    sample, columns = read_table(folder, table)
    responded = sample.labels
    splits = StratifiedKFold(5, shuffle=True, random_state=repeat).split(columns, responded)
    train, test = list(splits)[fold]
    rows = []

    def note(name: str, probability: np.ndarray, seconds: float) -> None:
        truth = responded[test]
        rows.append(
            {
                "table": table.label,
                "repeat": repeat,
                "fold": fold,
                "model": name,
                "log_loss": log_loss(truth, probability, labels=[0, 1]),
                "auc": roc_auc_score(truth, probability),
                "brier": brier_score_loss(truth, probability),
                "seconds": seconds,
            }
        )

    fitted: dict[str, TunedModel] = {}
    spent: dict[str, float] = {}
    for name, candidate in candidates.items():
        started = time.perf_counter()
        tuned = Trainer(sample, INNER_FOLDS, 1).fit(
            candidate,
            train,
            seed=derive_seed(1, "fit", repeat, fold),
            splits_seed=derive_seed(1, "inner", repeat, fold),
            is_weighed=True,
            known=fitted,
        )
        fitted |= {**tuned.members, name: tuned}
        probability = fitted[name].model.predict_proba(sample.features.take(test))[:, 1]
        # Members that an ensemble was given cost it the time that they took.
        spent[name] = time.perf_counter() - started
        spent[name] += sum(spent.get(member, 0.0) for member in candidate.members)
        note(name, probability, spent[name])
    inner = {name: fitted[name].inner for name in CHOSEN_FROM if name in fitted}
    if len(inner) == len(CHOSEN_FROM):
        chosen = fitted[choose_by_inner_losses(inner).name].model
        probability = chosen.predict_proba(sample.features.take(test))[:, 1]
        note(DEFAULT, probability, spent["ensemble"])
    for name, peer in make_peers(repeat).items() if with_peers else ():
        started = time.perf_counter()
        peer.fit(columns.iloc[train], responded[train])
        probability = peer.predict_proba(columns.iloc[test])[:, 1]
        note(name, probability, time.perf_counter() - started)
    return rows


def tune_both(folder: Path, table: Table, candidate: Candidate, fold: int) -> dict[str, float]:
    """Tune boosted trees our way and by a random search on one training part.

    Parameters
    ----------
    folder : Path
        The shared tables.
    table : Table
        Which.
    candidate : Candidate
        Boosted trees.
    fold : int
        Which part.

    Returns
    -------
    dict of float
        ``speed``, how many times as fast ours is, and ``loss``, its relative difference in log
        loss.
    """
    warnings.simplefilter("ignore")
    sample, columns = read_table(folder, table)
    responded = sample.labels
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(columns, responded)
    train, test = list(splits)[fold]
    started = time.perf_counter()
    seed = derive_seed(1, "fit", fold)
    fitted = Trainer(sample, INNER_FOLDS, 1).fit(candidate, train, seed=seed)
    ours = time.perf_counter() - started
    probability = fitted.model.predict_proba(sample.features.take(test))[:, 1]
    peer = make_peers(0)[PEERS[3]]
    started = time.perf_counter()
    peer.fit(columns.iloc[train], responded[train])
    theirs = time.perf_counter() - started
    searched = peer.predict_proba(columns.iloc[test])[:, 1]
    return {
        "speed": theirs / ours,
        "loss": log_loss(responded[test], probability) / log_loss(responded[test], searched) - 1,
    }


def compare_tuning(folder: Path, candidate: Candidate) -> None:
    """Hold the tuning of boosted trees against a random search of as many settings.

    Parameters
    ----------
    folder : Path
        The shared tables.
    candidate : Candidate
        Boosted trees.
    """
    wanted = {**candidate.search, "n_trees": Space(each=(10, 40, 110, 240))}
    as_many = candidate.model_copy(update={"draws": 5, "search": wanted})
    found = pd.DataFrame(
        Parallel(2)(
            delayed(tune_both)(folder, table, as_many, fold)
            for table in TABLES
            for fold in range(5)
        )
    )
    speed, loss = found["speed"].median(), found["loss"].mean()
    error = found["loss"].std() / np.sqrt(len(found))
    print(f"\nXGBoost with twenty settings tuned {speed:.1f} times as fast as searched (median)")
    print(f"log loss {100 * loss:+.2f} % (standard error {100 * error:.2f}), five folds a table")
    for is_kept, promise in (
        (speed >= LEAST_SPEED, f"at least {LEAST_SPEED} times as fast"),
        (loss <= 0, "log loss not worse"),
    ):
        print(f"{'kept' if is_kept else 'BROKEN'} - {promise}")


def show_growth(candidates: dict[str, Candidate], most: int) -> None:
    """Time fits to more and more rows of twenty made-up features.

    Parameters
    ----------
    candidates : dict of Candidate
        Ours.
    most : int
        The most rows.
    """
    print("\nseconds of tuning and fit by rows")
    random = np.random.default_rng(1)
    specs = tuple(FeatureSpec(f"x{at}", f"x{at}", "number") for at in range(20))
    found: dict[str, list[float]] = {name: [] for name in candidates}
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= most]
    for size in sizes:
        values = random.normal(size=(size, 20))
        log_odds = values[:, 0] - 0.5 * values[:, 1] + 0.3 * values[:, 2] ** 2
        outcome = (random.random(size) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
        blank = np.full(size, "", dtype=str)
        frame = pd.DataFrame(values, columns=[spec.name for spec in specs])
        sample = Sample(
            FeatureTable(frame, specs),
            outcome[None],
            *[blank] * 4,
            active=np.ones(size, dtype=bool),
        )
        for name, candidate in candidates.items():
            started = time.perf_counter()
            Trainer(sample, 5, 1).fit(candidate, np.arange(size), seed=derive_seed(1, "fit"))
            found[name].append(time.perf_counter() - started)
    table = pd.DataFrame(found, index=[f"{size:.0e}" for size in sizes]).T
    print(table.round(1).to_string())
    for name, seconds in found.items():
        # Tuning has a fixed price past 20,000 rows, so that time can grow slower than rows.
        ratio = seconds[-1] / seconds[-2] / (sizes[-1] / sizes[-2])
        promise = f"{name}: ten times the rows in at most fifteen times the time"
        print(f"{'kept' if ratio <= 1.5 else 'BROKEN'} - {promise}")


def show_effort(folder: Path, candidates: dict[str, Candidate]) -> None:
    """Time what each effort costs on a small table and a large one, five folds.

    Parameters
    ----------
    folder : Path
        The shared tables.
    candidates : dict of Candidate
        Ours.
    """
    print("\nseconds of five folds, and log loss, by effort")
    for table in (TABLES[2], TABLES[4], TABLES[0]):
        for effort in get_args(Effort):
            spending = {name: each.with_effort(effort) for name, each in candidates.items()}
            found = pd.DataFrame(
                row
                for fold in range(5)
                for row in run_fold(folder, table, spending, False, 0, fold)
            )
            means = found.groupby("model", sort=False)[["seconds", "log_loss"]].mean()
            cells = [
                f"{name} {5 * row.seconds:.1f} s {row.log_loss:.4f}"
                for name, row in means.iterrows()
            ]
            print(f"{table.label}, {effort}: {'; '.join(cells)}", flush=True)


def find_error(differences: pd.DataFrame) -> float:
    """Find the standard error of a paired difference over repeated folds.

    Parameters
    ----------
    differences : DataFrame
        One a fold, with ``repeat``.

    Returns
    -------
    float
        By the corrected resampled t (Nadeau and Bengio 2003).
    """
    values = differences["log_loss"].to_numpy()
    return float(np.sqrt((1 / len(values) + 1 / 4) * values.var(ddof=1)))


def main() -> None:
    """Fit, and print the figures with the targets that are kept or missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--tables", nargs="*", help="names of folders; all unless stated")
    parser.add_argument("--ours", nargs="*", default=OURS, help="candidates in models/")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000, help="the most, for the growth")
    parser.add_argument("--out", type=Path, help="write a row a fold as CSV")
    stated = parser.parse_args()
    folder = os.environ.get("GLABELLA_TABLES")
    if folder is None:
        print("skipped: GLABELLA_TABLES does not say where the tables are")
        return
    project = find_project(None)
    read = {
        name: project.read("models", name, Candidate).value
        for name in dict.fromkeys([*stated.ours, WITH_SCORES, *OURS])
    }
    wanted = {name: join_members(read[name], read) for name in stated.ours}
    compare_tuning(Path(folder), read["xgboost"])
    show_growth({name: wanted[name] for name in wanted if name != "random_forest"}, stated.rows)
    show_effort(
        Path(folder), {name: join_members(read[name], read) for name in ("xgboost", "ensemble")}
    )
    rows = []
    for table in TABLES if stated.repeats else ():
        if stated.tables and table.name not in stated.tables:
            continue
        mine = dict(wanted)
        if table.margin is not None:
            mine[WITH_SCORES] = read[WITH_SCORES]
        rows += [
            row
            for part in Parallel(2)(
                delayed(run_fold)(Path(folder), table, mine, not stated.without_peers, repeat, fold)
                for repeat in range(stated.repeats)
                for fold in range(5)
            )
            for row in part
        ]
        of_table = pd.DataFrame(rows).query("table == @table.label")
        means = of_table.groupby("model", sort=False)[
            ["log_loss", "auc", "brier", "seconds"]
        ].mean()
        means["seconds"] *= 5
        print(f"\n{table.label}, n = {read_table(Path(folder), table)[0].n}, seconds of five folds")
        print(means.round(4).to_string(), flush=True)
    if not rows:
        return
    results = pd.DataFrame(rows)
    if stated.out is not None:
        results.to_csv(stated.out, index=False)
    if not stated.without_peers:
        judge(
            results, [DEFAULT, "ensemble"] if set(CHOSEN_FROM) <= set(stated.ours) else stated.ours
        )


def judge(results: pd.DataFrame, ours: list[str]) -> None:
    """Hold the default choice against the peers.

    Parameters
    ----------
    results : DataFrame
        A row a table, fold and model.
    ours : list of str
        What is held against them, one by one.
    """
    for mine in ours:
        losses = results.groupby(["table", "model"], sort=False)["log_loss"].mean().unstack()
        peers = losses[PEERS]
        ranks = losses[[mine, *PEERS]].rank(axis=1).mean()
        relative = losses[mine] / peers.min(axis=1) - 1
        print(f"\nmean rank of log loss\n{ranks.round(2).to_string()}")
        worse = []
        for table in losses.index:
            best = peers.loc[table].idxmin()
            of_table = results[results["table"] == table]
            folds = of_table.pivot_table(
                index=["repeat", "fold"], columns="model", values="log_loss"
            )
            error = find_error((folds[mine] - folds[best]).rename("log_loss").reset_index())
            allowed = MOST_WORSE + error / losses.loc[table, best]
            print(
                f"{table:36s} {100 * relative[table]:+6.2f} % against {best}, "
                f"allowed {100 * allowed:.2f} %"
            )
            if relative[table] > allowed:
                worse.append(table)
        seconds = 5 * results[results["model"] == mine].groupby("table")["seconds"].mean()
        print(f"five folds of {mine}: {seconds.max():.1f} seconds at most, on {seconds.idxmax()}")
        print(f"{mine}: mean relative difference to the best peer {100 * relative.mean():+.2f} %")
        for is_kept, promise in (
            (seconds.max() < MOST_SECONDS, f"five folds in less than {MOST_SECONDS} seconds"),
            (ranks.idxmin() == mine, "first in mean rank of log loss"),
            (relative.mean() <= 0, "no worse on the mean than the best peer of each table"),
            (not worse, "nowhere worse than the best peer by 1 % and a standard error"),
        ):
            print(f"{'kept' if is_kept else 'BROKEN'} - {promise}")


if __name__ == "__main__":
    main()
