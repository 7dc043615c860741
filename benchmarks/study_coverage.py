"""Sections of the study's page on intervals: of the headline, across trials, and for a new one."""

from __future__ import annotations

import pandas as pd
from study_tables import COMMAND, Study, find_coverage, judge, show_bias, show_share, tabulate

from glabella.validation.adequacy.simulation_study import LEAST_COVERAGE, MOST_COVERAGE

HEADLINES = ("headline_published", "headline_twice", "headline_ten_trials", "boosted_published")
NEW_TRIALS = ("new_trial_3", "new_trial_5", "new_trial_7", "new_trial_10")
HEADLINE_MEASURES = ("auc", "brier", "log_loss", "calibration_slope")
SHARED_MEASURES = ("auc", "brier", "log_loss")
POOLED_MEASURES = ("auc", "calibration_slope", "calibration_intercept", "observed_expected")
FROM_SEVEN = (0.90, 0.97)


def find_shown(line: str) -> str:
    """Name the candidate whose figures a line shows.

    Parameters
    ----------
    line : str
        Its name.

    Returns
    -------
    str
        The one that is validated beside `severity`, or the choice among several.
    """
    return {"boosted_published": "xgboost", "choice": "procedure"}.get(line, "ridge")


def write_headlines(study: Study, missed: list[str]) -> str:
    """Write the section on intervals of the headline.

    Parameters
    ----------
    study : Study
        The small tables.
    missed : list of str
        Gets what is outside its promise.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for line in HEADLINES:
        if not study.has(line):
            continue
        found = _select(study, line, "pooled", "estimate")
        for measure in HEADLINE_MEASURES:
            [row] = [each for _, each in found[found["measure"] == measure].iterrows()]
            what = f"{line}, {measure}, coverage"
            verdict = judge(find_coverage(row), LEAST_COVERAGE, MOST_COVERAGE, what, missed)
            rows.append(
                (
                    line,
                    str(study.count(line)),
                    measure,
                    f"{row['truth']:.4f}",
                    show_bias(row),
                    f"{row['width']:.3f}",
                    f"{row['rmse']:.4f}",
                    show_share(row["coverage"], row["coverage_error"]),
                    verdict,
                )
            )
    head = ("line", "repeats", "measure", "truth", "bias", "width", "error", "coverage", "93–97 %")
    return (
        "## 1. Intervals of the headline\n\n"
        "Cross-validation of the procedure, compared with its expected performance at the size of "
        "its training parts, in other participants of the same trials. `auc` is the concordance "
        "of the headline, in the active arms.\n\n"
        f"`{COMMAND} {' '.join(HEADLINES)}`\n\n"
        + "\n\n".join(
            [
                tabulate(head, rows),
                _write_elsewhere(study),
                _write_left_out(study),
                _write_means(study),
            ]
        )
    )


def _select(study: Study, line: str, design: str, kind: str) -> pd.DataFrame:
    return study.select(line, design=design, candidate=find_shown(line), kind=kind)


def _write_elsewhere(study: Study) -> str:
    """Tabulate the coverage of the same intervals in lines that were made for other questions."""
    rows = []
    for line in study.lines["line"]:
        if line in HEADLINES or line.startswith("missing"):
            continue
        found = _select(study, line, "pooled", "estimate").set_index("measure")
        cells = []
        for measure in SHARED_MEASURES:
            coverage = find_coverage(found.loc[measure])
            words = show_share(coverage.value, coverage.error)
            is_inside = coverage.is_compatible(LEAST_COVERAGE, MOST_COVERAGE)
            cells.append(words if is_inside else f"**{words}**")
        rows.append((line, str(study.count(line)), *cells))
    return (
        "The same intervals under the other scenarios, for which no aim was set; bold is "
        "outside 93 to 97 %. If there is nothing to find (`nothing`), the interval of the "
        "concordance contains the truth less often: folds then agree or disagree by chance on the "
        "direction of a feature, and both spread a cross-validated concordance more than "
        "participants alone would. So whether there is any signal is a question for the "
        "permutation test (line 3), not for this interval.\n\n"
        + tabulate(("line", "repeats", *(f"coverage: {name}" for name in SHARED_MEASURES)), rows)
    )


def _write_left_out(study: Study) -> str:
    rows = []
    for line in (*HEADLINES, *NEW_TRIALS, "illusion"):
        if not study.has(line):
            continue
        found = _select(study, line, "across", "estimate")
        rows += [
            (
                line,
                str(row["measure"]),
                f"{row['truth']:.4f}",
                show_bias(row),
                f"{row['width']:.3f}",
                show_share(row["coverage"], row["coverage_error"]),
            )
            for _, row in found[found["measure"].isin(SHARED_MEASURES)].iterrows()
        ]
    head = ("line", "measure", "truth", "bias", "width", "coverage")
    return (
        "With each trial left out in turn, intervals are computed from the participants alone: "
        "they do not include how other trials would differ, and contain the expectation over all "
        "such trials less often; if trials differ (`new_trial`, `illusion`), more trials do not "
        "change that. The prediction interval of the next section is made for this purpose.\n\n"
        + tabulate(head, rows)
    )


def _write_means(study: Study) -> str:
    rows = []
    for line in (*HEADLINES, *NEW_TRIALS):
        if not study.has(line):
            continue
        found = _select(study, line, "across", "mean over trials")
        rows += [
            (
                line,
                str(row["measure"]),
                f"{row['truth']:.3f}",
                show_bias(row, 3),
                f"{row['width']:.2f}",
                show_share(row["coverage"], row["coverage_error"]),
            )
            for _, row in found[found["measure"].isin(POOLED_MEASURES)].iterrows()
        ]
    head = ("line", "measure", "truth", "bias", "width", "coverage")
    return (
        "Random-effects means over the trials left out, with Hartung and Knapp's interval. If the "
        "model predicts little (`headline`), the calibration slope lies above 1, its mean over "
        "trials is too low, and the interval contains it less often; if the model predicts more, "
        "the interval always contains it.\n\n" + tabulate(head, rows)
    )


def write_new_trial(study: Study, missed: list[str]) -> str:
    """Write the section on prediction intervals.

    Parameters
    ----------
    study : Study
        The small tables.
    missed : list of str
        Gets what is outside its promise.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for line in NEW_TRIALS:
        trials = int(line.rpartition("_")[2])
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
                verdict = judge(find_coverage(row), *FROM_SEVEN, what, missed)
            rows.append(
                (
                    str(trials),
                    str(int(row["repeats"])),
                    method if len(method) < 60 else method[:57] + "...",
                    f"{row['truth']:.3f}",
                    f"{row['truth_sd']:.3f}",
                    f"{row['width']:.2f}",
                    show_share(row["coverage"], row["coverage_error"]),
                    verdict,
                )
            )
    head = ("trials", "repeats", "method", "mean", "SD of new trials", "width", "coverage",
            "90–97 % from seven on")  # fmt: skip
    return (
        "## 2. A new trial\n\n"
        "The prediction interval for the concordance in a new trial, compared with the concordance "
        "in a large trial of the same kind that had no part in training, under "
        "`varied_trials`.\n\n"
        f"`{COMMAND} new_trial_3 new_trial_5 new_trial_7 new_trial_10`\n\n" + tabulate(head, rows)
    )
