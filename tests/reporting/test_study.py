"""What pages and guides say of the validation study is what its tables say."""

import csv
import re

from glabella.reporting.study import read_study


def _read(checkout, name):
    with (checkout / "docs" / "validation_study" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_coverage_spans_the_scenarios_without_missing_outcomes(checkout):
    candidates = {"boosted_published": "xgboost", "choice": "procedure"}
    for design, stated in (("pooled", read_study().pooled), ("across", read_study().across)):
        found = [
            float(row["coverage"])
            for row in _read(checkout, "figures.csv")
            if row["design"] == design
            and row["kind"] == "estimate"
            and row["measure"] in ("auc", "brier", "log_loss")
            and row["candidate"] == candidates.get(row["line"], "ridge")
            and not row["line"].startswith("missing")
        ]
        assert len(found) > 10
        assert stated == (round(100 * min(found)), round(100 * max(found)))


def test_the_bias_of_pooled_losses_is_that_of_the_headline(checkout):
    lines = ("headline_published", "headline_twice", "headline_ten_trials", "boosted_published")
    for measure, stated in (
        ("log_loss", read_study().log_loss_optimism),
        ("brier", read_study().brier_optimism),
    ):
        found = [
            -float(row["bias"])
            for row in _read(checkout, "figures.csv")
            if row["line"] in lines
            and (row["design"], row["kind"], row["measure"]) == ("pooled", "estimate", measure)
            and row["candidate"] == ("xgboost" if row["line"].startswith("boosted") else "ridge")
        ]
        assert len(found) == 4
        assert stated == (round(min(found), 3), round(max(found), 3))


def test_the_guide_states_the_false_positives_of_the_tables(checkout):
    guide = " ".join((checkout / "docs" / "validate_a_model.md").read_text().split())
    tests = read_study().false_positives
    assert f"found one in {tests['any']} of 100" in guide
    assert f"the second in {tests['beyond_severity']}" in guide


def test_no_result_of_the_study_is_typed_into_a_page(checkout):
    folder = checkout / "src" / "glabella" / "reporting" / "templates"
    for path in folder.rglob("*.jinja"):
        assert not re.search(r"\d ±|\d\d (of|in) 100\b", path.read_text()), path
