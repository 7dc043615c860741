"""Makes docs/validation_study.md of the small tables that the validation study wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from study_coverage import write_headlines, write_new_trial
from study_recovery import write_recovery
from study_tables import (
    COMMAND,
    ENOUGH_REPEATS,
    Study,
    judge,
    show_bias,
    show_share,
    tabulate,
)

from glabella.validation.adequacy.simulation_study import Proportion, count_share

NOMINAL_ERROR, LEAST_TOLD, MOST_BIAS = 0.05, 0.95, 0.01
HIGH_INSIDE = 0.7
ABOVE_CHANCE = ("better", "no better", "only inside")
# What the page calls a claim, if the tables have another name for it.
CLAIMED = {
    "permutation test: there is anything": "permutation test: any signal",
    "predictor of the effect": "effect modifier",
}
STRATEGIES = ("observed_only", "non_responder", "last_observation", "multiple_imputation")


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
        write_headlines(study, missed),
        write_new_trial(study, missed),
        _write_nothing(study, missed),
        _write_illusion(study, missed),
        _write_choice(study, missed),
        write_recovery(study, tables),
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
        return "Every aim that was tested was met."
    return "Aims that were not met:\n\n" + listed


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
            verdict = _judge_errors(share, claim, missed)
            rows.append(
                (
                    CLAIMED.get(claim, claim),
                    "of any feature" if of == "any, falsely" else "of the procedure",
                    str(int(row["repeats"])),
                    show_share(row["rate"], row["rate_error"]),
                    verdict,
                )
            )
    if study.has("nothing"):
        rows += _tabulate_first_sentences(study, missed)
    head = ("claim", "made", "repeats", "falsely", "at most 5 %")
    return (
        "## 3. Nothing to find\n\n"
        "Under `no_signal`, response depends on trial and arm alone, so each claim is false. The "
        "permutation tests are meant to have false positives in 5 of 100. Claims about features, "
        "each made after a separate test against the largest of permuted ones, may be false in 5 "
        "of 100, and are marked *rarer* if fewer are false. The first sentence of the report is "
        "based on the interval of the headline concordance; if `permutations:` asks for the test, "
        "it also says whether the test confirms it. Folds that disagree give a concordance below "
        "chance (line 1); it does not indicate a reversed relation.\n\n"
        f"`{COMMAND} nothing`\n\n" + tabulate(head, rows)
    )


def _judge_errors(share: Proportion, claim: str, missed: list[str]) -> str:
    """Compare how often a claim is made falsely with its level."""
    verdict = judge(share, 0.0, NOMINAL_ERROR, f"nothing, {claim}", missed)
    is_rarer = not share.is_compatible(NOMINAL_ERROR, NOMINAL_ERROR)
    return f"{verdict}, rarer" if verdict.startswith("met") and is_rarer else verdict


def _tabulate_first_sentences(study: Study, missed: list[str]) -> list[tuple[str, ...]]:
    """Count how often the first sentence places the headline concordance off 0.5."""
    about, n = study.lines.set_index("line").loc["nothing"], study.count("nothing")
    rates = {name: float(about.fillna(0.0).get(f"verdict: {name}", 0.0)) for name in ABOVE_CHANCE}
    rows = []
    for words, rate in (
        ("responders are distinguished from non-responders", sum(rates.values())),
        ("the same, confirmed by the permutation test", about["above chance, borne out"]),
        ("concordance below chance", about["verdict: below chance"]),
    ):
        share = count_share(np.arange(n) < round(n * float(rate)))
        claim = f"first sentence: {words}"
        # Below chance, it says that a model is of no use.
        verdict = "–"
        if not words.endswith("below chance"):
            verdict = _judge_errors(share, claim, missed)
        told = show_share(share.value, share.error)
        rows.append((claim, "of the procedure", str(n), told, verdict))
    return rows


def _write_illusion(study: Study, missed: list[str]) -> str:
    if not study.has("illusion"):
        return "## 4. Illusion\n\nNot run yet."
    about = study.lines.set_index("line").loc["illusion"]
    n = study.count("illusion")
    told = count_share(np.arange(n) < round(n * float(about.get("verdict: only inside", 0.0))))
    judge(told, LEAST_TOLD, 1.0, "illusion, the first sentence says so", missed)
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
            verdict = {None: "–", True: "met", False: "**not met**"}[is_kept]
            cells = (f"{row[name]:.3f}" for name in ("mean", "sd", "truth"))
            rows.append((words, *cells, verdict))
    head = ("concordance", "mean over repeats", "SD", "truth",
            f"over {HIGH_INSIDE} inside, at most 0.5 left out")  # fmt: skip
    return (
        "## 4. Strong inside each trial, reversed in the next\n\n"
        f"Under `illusory`, the first sentence of the report says that the model predicts response "
        f"*only inside its own trials* in {show_share(told.value, told.error)} of {n} repeats "
        "(aim: 95 %).\n\n"
        f"`{COMMAND} illusion`\n\n" + tabulate(head, rows)
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
                verdict = "–" if words == "naive best" else "met" if is_kept else "**not met**"
                rows.append(
                    (
                        words,
                        measure,
                        str(int(row["repeats"])),
                        f"{row['truth']:.4f}",
                        show_bias(row),
                        show_share(row["coverage"], row["coverage_error"]),
                        verdict,
                    )
                )
    head = ("figure", "measure", "repeats", "truth", "bias", "coverage", "at most 0.01")
    return (
        "## 5. A choice among candidates\n\n"
        "Ridge, elastic net, curves and products with the arm; below 0, a log loss is too good. "
        "Part of that is present without a choice (line 1: participants are allocated to folds by "
        "outcome); what the choice adds is the difference between the naive best and the nested "
        "choice. Bias is judged without allowing for its Monte Carlo error.\n\n"
        f"`{COMMAND} choice`\n\n" + tabulate(head, rows)
    )


def _write_missing(study: Study) -> str:
    measures = ("auc", "brier", "log_loss", "observed_expected")
    rows, covered = [], []
    for leaving in ("at_random", "not_at_random"):
        for strategy in STRATEGIES:
            line = f"missing_{strategy}_{leaving}"
            if not study.has(line):
                continue
            found = study.select(line, design="pooled", candidate="ridge", kind="estimate")
            found = found.set_index("measure").loc[list(measures)]
            named = (leaving.replace("_", " "), strategy.replace("_", " "))
            rows.append(
                (
                    *named,
                    str(study.count(line)),
                    f"{found.loc['auc', 'truth']:.3f}",
                    f"{found.loc['observed_expected', 'truth']:.3f}",
                    *(show_bias(row, 3) for _, row in found.iterrows()),
                )
            )
            covered.append(
                (
                    *named,
                    *(
                        show_share(row["coverage"], row["coverage_error"])
                        for _, row in found.iterrows()
                    ),
                )
            )
    head = ("leaving", "missing scores", "repeats", "true concordance", "true O:E",
            "bias: concordance", "Brier", "log loss", "O:E")  # fmt: skip
    return (
        "## 7. Missing outcomes\n\n"
        "Three in ten participants leave before the endpoint, those who do badly sooner: depending "
        "on what was observed of them (at random), or on what was not (not at random). Multiple "
        "imputation uses five draws, not the default of twenty. Each estimate is compared with the "
        "performance of the model so trained in participants who are all followed: the bias is by "
        "how much the report is too high or too low. A true O:E above 1 means that the model, as "
        "trained, predicts fewer responses than there would be.\n\n"
        f"`{COMMAND} "
        + " ".join(name for name in study.lines["line"] if str(name).startswith("missing"))
        + "`\n\n"
        + tabulate(head, rows)
        + "\n\nThe intervals are computed from the outcomes as they were filled in; how often they "
        "contain the same truth:\n\n"
        + tabulate(
            ("leaving", "missing scores", "concordance", "Brier", "log loss", "O:E"), covered
        )
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
            "errors say what that costs; the same command resumes the line."
        )
    head = ("line", "scenario", "participants", "trials", "repeats", "s per repeat", "core-hours")
    return (
        f"## What it cost\n\n{hours:.1f} core-hours in all, two repeats at once on two cores of "
        "one machine, where each takes longer than alone ([Rehearse an "
        "analysis](rehearse.md) says what it costs then); `s per repeat` is the median. Lines "
        "were run while the library became faster, the first of them at half of today's "
        "speed.\n\n" + tabulate(head, rows) + note
    )
