"""What a rehearsal says, on tables whose figures are known."""

import pandas as pd
import pytest

from glabella.reporting.rehearsal import (
    describe_rehearsal,
    find_headline,
    render_rehearsal_text,
)
from glabella.validation.adequacy.simulation_study import tabulate_claims, tabulate_repeats

NO_CLAIMS = tabulate_claims(
    pd.DataFrame(columns=["repeat", "claim", "of", "made", "true"]), repeats=4
)


def tabulate(candidate, kind, low, high, *, design="pooled", measure="auc"):
    rows = [
        {
            "design": design,
            "candidate": candidate,
            "kind": kind,
            "measure": measure,
            "value": (first + last) / 2,
            "low": first,
            "high": last,
            "truth": 0.55,
            "again": float("nan"),
            "weight": 1.0,
        }
        for first, last in zip(low, high, strict=True)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def repeats():
    return pd.concat(
        [
            tabulate("ridge", "estimate", [0.51, 0.4, 0.4, 0.52], [0.7, 0.6, 0.49, 0.8]),
            tabulate("ridge", "over severity", [0.0] * 4, [0.1] * 4, measure="gain_auc"),
            tabulate("severity", "estimate", [0.4] * 4, [0.6] * 4),
        ]
    )


@pytest.mark.parametrize("order", [1, -1])
def test_the_headline_is_no_reference_whatever_the_order(repeats, order):
    assert find_headline(tabulate_repeats(repeats.iloc[::order])) == "ridge"


def test_a_choice_is_told_of_the_procedure(repeats):
    chosen = tabulate("procedure", "estimate", [0.5], [0.6])
    assert find_headline(tabulate_repeats(pd.concat([chosen, repeats]))) == "procedure"


def test_above_and_below_chance_are_told_apart(repeats):
    said = describe_rehearsal(tabulate_repeats(repeats), NO_CLAIMS, repeats=4)
    assert "Ridge would reach a concordance of 0.550" in said
    assert "lies above chance in 50.0 % (± 17.7) of repeats, below it in 25.0 %" in said


def test_the_terminal_tells_priors_apart_and_counts_repeats(repeats):
    methods = (
        "prediction, Bayesian, with van Leeuwen's empirical prior",
        "prediction, Bayesian, with a half t prior",
    )
    predictions = [
        tabulate("ridge", method, [0.3] * n, [0.9] * n, design="across")
        for n, method in zip((1, 4), methods, strict=True)
    ]
    lines = render_rehearsal_text(
        tabulate_repeats(pd.concat([repeats, *predictions])), NO_CLAIMS
    ).splitlines()
    found = {line[:60]: line.split() for line in lines if "prediction" in line}
    assert len(found) == 2
    assert [words[words.index("auc") + 1] for words in found.values()] == ["1", "4"]
    assert len({line.index("auc") for line in lines if " auc " in line}) == 1
