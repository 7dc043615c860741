"""Labels of values agree, contradict or are unclear; nothing else."""

import pytest

from glabella.data.dictionary import Variable
from glabella.data.mapping.labels import (
    NamedArm,
    Reading,
    read_arm_labels,
    read_labels,
    read_name_labels,
    read_week_labels,
)

NUMBER = Variable(label="Age", type="number", range=(0, 120))
TAKEN = Variable(label="Taken", type="category", codes={"no": "none", "yes": "taken"})


@pytest.mark.parametrize(
    ("variable", "labels", "expected"),
    [
        (NUMBER, {"99": "not known", "50": "50", "51": ""}, Reading({}, unclear={"99"})),
        (TAKEN, {"1": "1 = Taken", "0": "NO", "8": "?"}, Reading({"1": "yes", "0": "no"})),
        (TAKEN, {"no": "taken", "yes": "oui"}, Reading({}, {"no"}, {"yes"})),
    ],
)
def test_a_label_is_a_code_a_codes_label_or_unclear(variable, labels, expected) -> None:
    assert read_labels(labels, variable) == expected


def test_an_arms_label_may_be_its_code_name_or_label() -> None:
    arms = [NamedArm(("a", "1"), ("active", "Drug A")), NamedArm(("b",), ("control", "Sham"))]
    labels = {"1": "a", "2": "ACTIVE", "3": "drug  a", "4": "sham", "5": "other", "b": "drug a"}
    assert read_arm_labels(labels, arms) == Reading(
        {"2": "a", "3": "a", "4": "b"}, contradicted={"b"}
    )


def test_a_known_name_is_not_renamed() -> None:
    assert read_name_labels({"madrs": "hamd17", "hamd17": "HAM-D"}, ["madrs", "hamd17"]) == Reading(
        {}, contradicted={"madrs"}
    )


@pytest.mark.parametrize(
    ("week", "label", "agrees"),
    [
        ("4", "Week 4", True),
        ("4", "Woche 4", True),
        ("1.5", "1,5", True),
        ("-1", "Screening", True),
        ("4", "Visit 4", False),
        ("1", "Week 4", False),
        ("28", "Day 28", False),
        ("1", "Baseline", False),
        ("99", "unscheduled", False),
    ],
)
def test_a_weeks_label_must_say_the_week(week: str, label: str, agrees: bool) -> None:
    assert (read_week_labels({week: label}).unclear == frozenset()) is agrees
