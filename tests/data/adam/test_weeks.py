"""The week of a record, by each rule and where none applies."""

import pytest

NAMES = "USUBJID AVISIT AVISITN ADY AWTARGET AWU AVAL ABLFL"
BASELINE = ("QQ1", "Baseline", 0, 1, 1, "DAYS", 40.0, "Y")


def weeks(adam, tables) -> list[float]:
    return [week for _, week in adam.scores(tables)]


@pytest.mark.parametrize(
    ("targets", "unit", "expected"),
    [
        ((56, 168), "DAYS", [0, 8, 24]),
        ((57, 169), "days", [0, 8, 24]),
        ((8, 24), "WEEKS", [0, 8, 24]),
        ((56, 169), "DAY", [0, 8, 169 / 7]),
    ],
)
def test_a_target_in_days_or_weeks_is_the_week(adam, targets, unit, expected) -> None:
    rows = [BASELINE, ("QQ1", "V3", 3, 60, targets[0], unit, 30.0, ""),
            ("QQ1", "V4", 4, 170, targets[1], unit, 20.0, "")]  # fmt: skip
    assert weeks(adam, adam.load(bds=adam.bds(rows, NAMES))) == pytest.approx(expected)


def test_a_visit_named_week_n_is_the_week_however_it_is_written(adam) -> None:
    rows = [("QQ1", "BASELINE", 1, 40.0, "Y"), ("QQ1", "week 8", 61, 30.0, ""),
            ("QQ1", " WEEK 24", 160, 20.0, "")]  # fmt: skip
    tables = adam.load(bds=adam.bds(rows, "USUBJID AVISIT ADY AVAL ABLFL"))
    assert weeks(adam, tables) == [0, 8, 24]
    assert adam.findings(tables) == []


def test_days_give_the_week_where_no_visit_does_and_there_is_no_day_0(adam) -> None:
    rows = [("QQ1", "V0", -7, 41.0), ("QQ1", "V1", 1, 40.0), ("QQ1", "V2", 8, 30.0),
            ("QQ1", "V3", 57, 20.0)]  # fmt: skip
    tables = adam.load(bds=adam.bds(rows, "USUBJID AVISIT ADY AVAL"))
    assert weeks(adam, tables) == [-1, 0, 1, 8]
    assert "ADY, does" in adam.findings(tables)[0]


def test_avisitn_is_the_week_only_where_one_says_so(adam) -> None:
    rows = [("QQ1", "Baseline", 0, 40.0, "Y"), ("QQ1", "Visit 2", 8, 30.0, "")]
    bds = adam.bds(rows, "USUBJID AVISIT AVISITN AVAL ABLFL")
    assert weeks(adam, adam.load("week: avisitn", bds=bds)) == [0, 8]
    error = adam.refuse(bds=bds)
    assert "neither AWTARGET, nor AVISIT, nor ADY gives 'TOT' its weeks" in str(error)
    assert "`week: avisitn`" in str(error)


@pytest.mark.parametrize("rule", ["awtarget", "avisit", "ady"])
def test_a_named_rule_that_gives_no_week_is_refused(adam, rule: str) -> None:
    rows = [("QQ1", "Baseline", 0, 40.0, "Y"), ("QQ1", "Visit 2", 8, 30.0, "")]
    bds = adam.bds(rows, "USUBJID AVISIT AVISITN AVAL ABLFL")
    error = adam.refuse(f"week: {rule}", bds=bds)
    assert f"pipelines/own.yaml:5: {rule.upper()} gives no record of 'TOT' a week" in str(error)


def test_visit_numbers_taken_for_weeks_are_warned_of(adam) -> None:
    rows = [("QQ1", 1, 1, 40.0, "Y"), ("QQ1", 2, 57, 30.0, ""), ("QQ1", 3, 113, 20.0, "")]
    tables = adam.load("week: avisitn", bds=adam.bds(rows, "USUBJID AVISITN ADY AVAL ABLFL"))
    assert "2 of 2 records: it may number visits" in adam.findings(tables, "warn")[0]


def test_an_unscheduled_visit_has_the_week_of_its_day_or_is_left_aside(adam) -> None:
    rows = [BASELINE, ("QQ1", "Week 8", 8, 60, None, "", 30.0, ""),
            ("QQ1", "Unscheduled", 99, 71, None, "", 29.0, ""),
            ("QQ1", "End of Treatment", 99, None, None, "", 28.0, "")]  # fmt: skip
    bds = adam.bds(rows, NAMES)
    for setting in ("week: auto", "week: avisitn"):
        tables = adam.load(setting, bds=bds)
        assert weeks(adam, tables) == [0, 8, 10]
        assert any("1 records of no planned week" in text for text in adam.findings(tables))
        assert adam.findings(tables, "warn") == [
            "1 records have neither a planned week nor a day of their own and are excluded"
        ]


def test_names_of_one_visit_that_disagree_are_warned_of(adam) -> None:
    rows = [BASELINE, ("QQ1", "Week 8", 8, 57, 56, "DAYS", 30.0, ""),
            ("QQ1", "Week 12", 12, 169, 168, "DAYS", 20.0, "")]  # fmt: skip
    tables = adam.load(bds=adam.bds(rows, NAMES))
    assert adam.findings(tables, "warn") == [
        "the week by AWTARGET is over half a week from that by AVISIT or AWTARGET in 1 of 3 records"
    ]


def test_a_day_outside_the_window_of_its_visit_is_warned_of(adam) -> None:
    rows = [(*BASELINE, None, 1), ("QQ1", "Week 8", 8, 90, 56, "DAYS", 30.0, "", 2, 84)]
    tables = adam.load(bds=adam.bds(rows, f"{NAMES} AWLO AWHI"))
    assert adam.findings(tables, "warn") == [
        "1 of 2 records were taken outside the window of their visit, AWLO to AWHI"
    ]
