"""Makes docs/validation_study.md of the small tables that the validation study wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glabella.reporting.drawing import COLOURS, render_svg
from glabella.validation.repeated import (
    LEAST_COVERAGE,
    MOST_COVERAGE,
    Proportion,
    count_share,
)

COMMAND = "python benchmarks/validation_study.py"
HEADLINES = ("headline_published", "headline_twice", "headline_ten_trials", "boosted_published")
HEADLINE_MEASURES = ("auc", "brier", "log_loss", "calibration_slope")
LEFT_OUT_MEASURES = ("auc", "brier", "log_loss")
FROM_SEVEN = (0.90, 0.97)
NOMINAL_ERROR, LEAST_TOLD, MOST_BIAS = 0.05, 0.95, 0.01
HIGH_INSIDE = 0.7
ENOUGH_REPEATS = 1000
STRATEGIES = ("observed_only", "non_responder", "last_observation", "multiple_imputation")


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


def write_page(tables: Path, page: Path) -> int:
    """Write the page and its figure.

    Parameters
    ----------
    tables : Path
        The folder of the small tables.
    page : Path
        The page.

    Returns
    -------
    int
        0 if every promise that was tested was kept, 1 otherwise.
    """
    study = Study.read(tables)
    missed: list[str] = []
    sections = [
        _write_headlines(study, missed),
        _write_new_trial(study, missed),
        _write_nothing(study, missed),
        _write_illusion(study, missed),
        _write_choice(study, missed),
        _write_recovery(study, tables),
        _write_missing(study),
    ]
    text = (tables / "introduction.md").read_text(encoding="utf-8").rstrip()
    parts = [text, _sum_up(missed), *sections, _write_cost(study)]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print("kept" if not missed else f"BROKEN: {len(missed)} figures outside what is promised")
    return 1 if missed else 0


def _sum_up(missed: Iterable[str]) -> str:
    listed = "\n".join(f"- {item}" for item in missed)
    if not listed:
        return "Every promise that was tested was kept."
    return "Outside what was promised:\n\n" + listed


def _tabulate(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _share(value: float | None, error: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{100 * value:.1f} % ± {100 * error:.1f}"


def _judge(share: Proportion, low: float, high: float, what: str, missed: list[str]) -> str:
    """Hold a share against a range, within two Monte Carlo errors, and list it where it is out."""
    if share.is_compatible(low, high):
        return "kept" if share.repeats >= ENOUGH_REPEATS else "kept so far"
    side = "below" if share.value is not None and share.value < low else "above"
    promised = f"{100 * low:.0f} to {100 * high:.0f}" if low > 0 else f"{100 * high:.0f}"
    missed.append(f"{what}: {_share(share.value, share.error)}, {side} {promised} %")
    return f"**{side}**"


def _find_coverage(row: pd.Series) -> Proportion:
    # A method that some repeats lack was judged in fewer.
    return Proportion(row["coverage"], row["coverage_error"], int(row["repeats"]))


def _write_headlines(study: Study, missed: list[str]) -> str:
    rows = []
    for line in HEADLINES:
        if not study.has(line):
            continue
        candidate = "xgboost" if line.startswith("boosted") else "ridge"
        found = study.select(line, design="pooled", candidate=candidate, kind="estimate")
        for measure in HEADLINE_MEASURES:
            [row] = [each for _, each in found[found["measure"] == measure].iterrows()]
            what = f"{line}, {measure}, coverage"
            verdict = _judge(_find_coverage(row), LEAST_COVERAGE, MOST_COVERAGE, what, missed)
            rows.append(
                (
                    line,
                    str(study.count(line)),
                    measure,
                    f"{row['truth']:.4f}",
                    f"{row['bias']:+.4f} ± {row['bias_error']:.4f}",
                    f"{row['width']:.3f}",
                    f"{row['rmse']:.4f}",
                    _share(row["coverage"], row["coverage_error"]),
                    verdict,
                )
            )
    head = ("line", "repeats", "measure", "truth", "bias", "width", "error", "coverage", "93–97 %")
    return (
        "## 1. Intervals of the headline\n\n"
        "Cross-validation of the procedure, held against its expected performance at the size of "
        "its training parts, in other participants of the same trials.\n\n"
        f"`{COMMAND} {' '.join(HEADLINES)}`\n\n"
        + _tabulate(head, rows)
        + "\n\n"
        + _write_left_out(study)
    )


def _write_left_out(study: Study) -> str:
    rows = []
    for line in HEADLINES:
        if not study.has(line):
            continue
        candidate = "xgboost" if line.startswith("boosted") else "ridge"
        found = study.select(line, design="across", candidate=candidate, kind="estimate")
        rows += [
            (
                line,
                str(row["measure"]),
                f"{row['truth']:.4f}",
                f"{row['bias']:+.4f} ± {row['bias_error']:.4f}",
                f"{row['width']:.3f}",
                _share(row["coverage"], row["coverage_error"]),
            )
            for _, row in found[found["measure"].isin(LEFT_OUT_MEASURES)].iterrows()
        ]
    head = ("line", "measure", "truth", "bias", "width", "coverage")
    return (
        "With each trial left out in turn, intervals are of the participants alone: they know "
        "nothing of how other trials would differ, and hold the expectation over all such trials "
        "less often. The prediction interval of the next section is made for that.\n\n"
        + _tabulate(head, rows)
    )


def _write_new_trial(study: Study, missed: list[str]) -> str:
    rows = []
    for trials in (3, 5, 7, 10):
        line = f"new_trial_{trials}"
        if not study.has(line):
            continue
        found = study.select(
            line, design="across", candidate="ridge", kind="prediction*", measure="auc"
        )
        for _, row in found.iterrows():
            method = str(row["kind"]).removeprefix("prediction, ")
            verdict = "stated"
            if trials >= 7:
                what = f"{line}, prediction, coverage"
                verdict = _judge(_find_coverage(row), *FROM_SEVEN, what, missed)
            rows.append(
                (
                    str(trials),
                    str(int(row["repeats"])),
                    method if len(method) < 60 else method[:57] + "...",
                    f"{row['truth']:.3f}",
                    f"{row['truth_sd']:.3f}",
                    f"{row['width']:.2f}",
                    _share(row["coverage"], row["coverage_error"]),
                    verdict,
                )
            )
    head = ("trials", "repeats", "method", "mean", "SD of new trials", "width", "coverage",
            "90–97 % from seven on")  # fmt: skip
    return (
        "## 2. A new trial\n\n"
        "The prediction interval for the concordance in a new trial, held against that of a large "
        "trial of the same kind that had no part in training, under `varied_trials`.\n\n"
        f"`{COMMAND} new_trial_3 new_trial_5 new_trial_7 new_trial_10`\n\n" + _tabulate(head, rows)
    )


def _write_nothing(study: Study, missed: list[str]) -> str:
    found = study.claims[study.claims["line"] == "nothing"]
    rows = []
    named = {
        "permutation test: there is anything": "procedure",
        "permutation test: beyond severity": "procedure",
        "stands out from noise": "any, falsely",
        "predictor of the effect": "any, falsely",
        "prognostic": "any, falsely",
    }
    for claim, of in named.items():
        for _, row in found[(found["claim"] == claim) & (found["of"] == of)].iterrows():
            share = Proportion(row["rate"], row["rate_error"], int(row["repeats"]))
            verdict = _judge(share, 0.0, NOMINAL_ERROR, f"nothing, {claim}", missed)
            if verdict.startswith("kept") and not share.is_compatible(NOMINAL_ERROR, NOMINAL_ERROR):
                verdict += ", rarer"
            rows.append(
                (
                    claim,
                    "of any feature" if of == "any, falsely" else "of the procedure",
                    str(int(row["repeats"])),
                    _share(row["rate"], row["rate_error"]),
                    verdict,
                )
            )
    head = ("claim", "made", "repeats", "falsely", "at most 5 %")
    return (
        "## 3. Nothing to find\n\n"
        "Under `no_signal` response follows trial and arm alone, so each claim is false. The "
        "permutation tests are meant to err in 5 of 100; claims of features, each of them after a "
        "test of its own against the largest of permuted ones, may err in 5 of 100 and are "
        "*rarer* where they err in fewer.\n\n"
        f"`{COMMAND} nothing`\n\n" + _tabulate(head, rows)
    )


def _write_illusion(study: Study, missed: list[str]) -> str:
    if not study.has("illusion"):
        return "## 4. Illusion\n\nNot run yet."
    about = study.lines.set_index("line").loc["illusion"]
    n = study.count("illusion")
    told = count_share(np.arange(n) < round(n * float(about.get("verdict: only inside", 0.0))))
    _judge(told, LEAST_TOLD, 1.0, "illusion, the first sentence says so", missed)
    rows = []
    for words, wanted in (
        ("inside each trial, mean over trials", {"design": "inside", "kind": "mean over trials"}),
        ("pooled", {"design": "pooled", "kind": "estimate"}),
        ("each trial left out", {"design": "across", "kind": "estimate"}),
    ):
        found = study.select("illusion", candidate="ridge", measure="auc", **wanted)
        for _, row in found.iterrows():
            error = 2 * row["sd"] / np.sqrt(row["repeats"])
            is_kept = {
                "inside": row["mean"] - error > HIGH_INSIDE,
                "across": row["mean"] - error <= 0.5,
            }.get(wanted["design"])
            if is_kept is False:
                missed.append(f"illusion, {words}: {row['mean']:.3f}")
            verdict = {None: "–", True: "kept", False: "**missed**"}[is_kept]
            cells = (f"{row[name]:.3f}" for name in ("mean", "sd", "truth"))
            rows.append((words, *cells, verdict))
    head = ("concordance", "mean over repeats", "SD", "truth",
            f"over {HIGH_INSIDE} inside, at most 0.5 left out")  # fmt: skip
    return (
        "## 4. Strong inside each trial, reversed in the next\n\n"
        f"Under `illusory`, the first sentence of the report says that the model tells responders "
        f"*only inside its own trials* in {_share(told.value, told.error)} of {n} repeats "
        "(promised: 95 %).\n\n"
        f"`{COMMAND} illusion`\n\n" + _tabulate(head, rows)
    )


def _write_choice(study: Study, missed: list[str]) -> str:
    rows = []
    kinds = (
        ("naive best", "chosen", "naive best"),
        ("nested choice", "procedure", "estimate"),
        ("bias-corrected", "chosen", "corrected"),
    )
    for words, candidate, kind in kinds:
        for measure in ("auc", "log_loss"):
            found = study.select(
                "choice", design="pooled", candidate=candidate, kind=kind, measure=measure
            )
            for _, row in found.iterrows():
                is_kept = abs(row["bias"]) <= MOST_BIAS
                if not is_kept and words != "naive best":
                    missed.append(f"choice, {words}, {measure}: bias {row['bias']:+.4f}")
                verdict = "–" if words == "naive best" else "kept" if is_kept else "**missed**"
                rows.append(
                    (
                        words,
                        measure,
                        str(int(row["repeats"])),
                        f"{row['truth']:.4f}",
                        f"{row['bias']:+.4f} ± {row['bias_error']:.4f}",
                        _share(row["coverage"], row["coverage_error"]),
                        verdict,
                    )
                )
    head = ("figure", "measure", "repeats", "truth", "bias", "coverage", "at most 0.01")
    return (
        "## 5. A choice among candidates\n\n"
        "Ridge, elastic net, curves and products with the arm; below 0, a log loss is too good.\n\n"
        f"`{COMMAND} choice`\n\n" + _tabulate(head, rows)
    )


def _write_recovery(study: Study, tables: Path) -> str:
    found = study.claims[study.claims["line"].str.startswith("recovery")]
    about = study.lines.set_index("line")
    wanted = (
        ("agitation stands out from noise", "stands out from noise", "agitation"),
        ("agitation is called a predictor of the effect", "predictor of the effect", "agitation"),
        ("illness is called prognostic", "prognostic", "illness_months"),
        ("a role is claimed falsely: effect", "predictor of the effect", "any, falsely"),
        ("a role is claimed falsely: prognostic", "prognostic", "any, falsely"),
    )
    figure = Figure(figsize=(10.0, 4.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    rows = []
    trials_of = sorted(about.loc[about.index.str.startswith("recovery"), "trials"].unique())
    for axis, trials in zip(axes, trials_of, strict=False):
        lines = about[about.index.str.startswith("recovery") & (about["trials"] == trials)]
        lines = lines.sort_values("participants")
        for at, (words, claim, of) in enumerate(wanted):
            mine = found[(found["claim"] == claim) & (found["of"] == of)].set_index("line")
            mine = mine.reindex(lines.index)
            rate, error = 100 * mine["rate"], 200 * mine["rate_error"]
            axis.errorbar(
                lines["participants"],
                rate,
                yerr=[np.minimum(error, rate), np.minimum(error, 100 - rate)],
                marker="o",
                linestyle="--" if of == "any, falsely" else "-",
                color=COLOURS[at],
                label=words,
            )
        axis.set_xscale("log", base=2)
        axis.set_xticks(lines["participants"], [f"{n:.0f}" for n in lines["participants"]])
        axis.minorticks_off()
        axis.set_title(f"{trials:.0f} trials")
        axis.set_xlabel("participants in all")
        axis.spines[["top", "right"]].set_visible(False)
        for line, row in lines.iterrows():
            shares = [
                found[(found["line"] == line) & (found["claim"] == claim) & (found["of"] == of)]
                for _, claim, of in wanted
            ]
            cells = [
                _share(each["rate"].iloc[0], each["rate_error"].iloc[0]) if len(each) else "–"
                for each in shares
            ]
            rows.append(
                (
                    f"{row['participants']:.0f}",
                    f"{row['trials']:.0f}",
                    f"{row['finished']:.0f}",
                    *cells,
                )
            )
    axes[0].set_ylabel("share of repeats, %")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=8, frameon=False,
                  loc="outside lower center", ncols=3)  # fmt: skip
    figure.suptitle("Simulated. Bars: two Monte Carlo standard errors to each side", fontsize=9)
    (tables / "recovery.svg").write_bytes(render_svg(figure))
    head = ("participants", "trials", "repeats", *(words for words, _, _ in wanted))
    return (
        "## 6. How much data would one need?\n\n"
        "Under `predictive`, agitation modifies the effect (an odds ratio near 2.8 a grade in the "
        "treated), illness is weakly prognostic, and age and resistance are neither. Illness adds "
        "the same to the course of patients in both arms; as the treated differ more among each "
        "other, it tells less of response among them, in odds and in concordance, and the more "
        "participants there are to see it, the more often that is called an effect.\n\n"
        f"`{COMMAND} " + " ".join(lines_of(found)) + "`\n\n"
        "![How often the true predictors are found](validation_study/recovery.svg)\n\n"
        + _tabulate(head, rows)
    )


def lines_of(table: pd.DataFrame) -> list[str]:
    """List the lines of a table.

    Parameters
    ----------
    table : DataFrame
        With a column ``line``.

    Returns
    -------
    list of str
        In their order.
    """
    return list(dict.fromkeys(table["line"]))


def _write_missing(study: Study) -> str:
    rows = []
    for leaving in ("at_random", "not_at_random"):
        for strategy in STRATEGIES:
            line = f"missing_{strategy}_{leaving}"
            if not study.has(line):
                continue
            cells = []
            for measure in ("auc", "brier", "log_loss", "observed_expected"):
                [row] = [
                    each
                    for _, each in study.select(
                        line, design="pooled", candidate="ridge", kind="estimate", measure=measure
                    ).iterrows()
                ]
                cells.append(f"{row['bias']:+.3f} ± {row['bias_error']:.3f}")
                if measure == "auc":
                    reached = f"{row['truth']:.3f}"
                if measure == "observed_expected":
                    expected = f"{row['truth']:.3f}"
            rows.append(
                (
                    leaving.replace("_", " "),
                    strategy.replace("_", " "),
                    str(study.count(line)),
                    reached,
                    expected,
                    *cells,
                )
            )
    head = ("leaving", "missing scores", "repeats", "true concordance", "true O:E",
            "bias: concordance", "Brier", "log loss", "O:E")  # fmt: skip
    return (
        "## 7. Missing outcomes\n\n"
        "Three in ten leave before the endpoint. Each figure is held against what the model "
        "trained so reaches in participants who are all followed: a bias is what the report tells "
        "too well or too ill of that. A true O:E above 1 means that the model, as trained, "
        "predicts fewer responses than there would be.\n\n"
        f"`{COMMAND} "
        + " ".join(name for name in study.lines["line"] if str(name).startswith("missing"))
        + "`\n\n"
        + _tabulate(head, rows)
    )


def _write_cost(study: Study) -> str:
    lines = study.lines
    hours = float(lines["hours"].sum())
    rows = [
        (
            str(row["line"]),
            str(row["scenario"]),
            f"{row['participants']:.0f}",
            f"{row['trials']:.0f}",
            f"{row['finished']:.0f} of {row['repeats']:.0f}",
            f"{row['seconds']:.2f}",
            f"{row['hours']:.2f}",
        )
        for _, row in lines.iterrows()
    ]
    few = [str(row["line"]) for _, row in lines.iterrows() if row["repeats"] < ENOUGH_REPEATS]
    note = ""
    if few:
        note = (
            f"\n\nWith under {ENOUGH_REPEATS} repeats so far: {', '.join(few)}. The Monte Carlo "
            "errors say what that costs; the same command goes on where the line is."
        )
    head = ("line", "scenario", "participants", "trials", "repeats", "s a repeat", "core-hours")
    return (
        f"## What it cost\n\n{hours:.1f} core-hours in all, two repeats at once on two cores of "
        "one machine, where each takes longer than alone (`docs/rehearse.md` says what it costs "
        "then); `s a repeat` is the median. Lines were run while the library became faster, the "
        "first of them at half of today's speed.\n\n" + _tabulate(head, rows) + note
    )
