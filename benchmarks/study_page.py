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

from glabella.validation.repeated import Proportion, count_share

NOMINAL_ERROR, LEAST_TOLD, MOST_BIAS = 0.05, 0.95, 0.01
HIGH_INSIDE = 0.7
ABOVE_CHANCE = ("better", "no better", "only inside")
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
        return "Every promise that was tested was kept."
    return "Outside what was promised:\n\n" + listed


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
                    claim,
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
        "Under `no_signal` response follows trial and arm alone, so each claim is false. The "
        "permutation tests are meant to err in 5 of 100; claims of features, each of them after a "
        "test of its own against the largest of permuted ones, may err in 5 of 100 and are "
        "*rarer* where they err in fewer. The first sentence of the report goes by the interval of "
        "the headline concordance, and where `permutations:` asks for the test says as well "
        "whether that bears it out. A concordance below chance is what folds that disagree give "
        "(line 1), and no sign of a reversed relation.\n\n"
        f"`{COMMAND} nothing`\n\n" + tabulate(head, rows)
    )


def _judge_errors(share: Proportion, claim: str, missed: list[str]) -> str:
    """Hold how often a claim is made falsely against its level."""
    verdict = judge(share, 0.0, NOMINAL_ERROR, f"nothing, {claim}", missed)
    is_rarer = not share.is_compatible(NOMINAL_ERROR, NOMINAL_ERROR)
    return f"{verdict}, rarer" if verdict.startswith("kept") and is_rarer else verdict


def _tabulate_first_sentences(study: Study, missed: list[str]) -> list[tuple[str, ...]]:
    """Count how often the first sentence places the headline concordance off 0.5."""
    about, n = study.lines.set_index("line").loc["nothing"], study.count("nothing")
    rates = {name: float(about.fillna(0.0).get(f"verdict: {name}", 0.0)) for name in ABOVE_CHANCE}
    rows = []
    for words, rate in (
        ("responders are told from others", sum(rates.values())),
        ("the same, and the permutation test bears it out", about["above chance, borne out"]),
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
            verdict = {None: "–", True: "kept", False: "**missed**"}[is_kept]
            cells = (f"{row[name]:.3f}" for name in ("mean", "sd", "truth"))
            rows.append((words, *cells, verdict))
    head = ("concordance", "mean over repeats", "SD", "truth",
            f"over {HIGH_INSIDE} inside, at most 0.5 left out")  # fmt: skip
    return (
        "## 4. Strong inside each trial, reversed in the next\n\n"
        f"Under `illusory`, the first sentence of the report says that the model tells responders "
        f"*only inside its own trials* in {show_share(told.value, told.error)} of {n} repeats "
        "(promised: 95 %).\n\n"
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
                verdict = "–" if words == "naive best" else "kept" if is_kept else "**missed**"
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
        "Part of that is there without a choice (line 1: folds are dealt by outcome); what the "
        "choice adds is how far the naive best is from the nested one. Bias is judged as it "
        "stands.\n\n"
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
        "Three in ten leave before the endpoint, those who do badly sooner: by what was seen of "
        "them, or by what was not. Multiple imputation is of five draws, not of the twenty that "
        "are made unless stated. Each figure is held against what the model "
        "trained so reaches in participants who are all followed: a bias is what the report tells "
        "too well or too ill of that. A true O:E above 1 means that the model, as trained, "
        "predicts fewer responses than there would be.\n\n"
        f"`{COMMAND} "
        + " ".join(name for name in study.lines["line"] if str(name).startswith("missing"))
        + "`\n\n"
        + tabulate(head, rows)
        + "\n\nThe intervals are of the outcomes as they were filled in; how often they hold the "
        "same truth:\n\n"
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
            "errors say what that costs; the same command goes on where the line is."
        )
    head = ("line", "scenario", "participants", "trials", "repeats", "s a repeat", "core-hours")
    return (
        f"## What it cost\n\n{hours:.1f} core-hours in all, two repeats at once on two cores of "
        "one machine, where each takes longer than alone (`docs/rehearse.md` says what it costs "
        "then); `s a repeat` is the median. Lines were run while the library became faster, the "
        "first of them at half of today's speed.\n\n" + tabulate(head, rows) + note
    )
