"""ADAE: an event after treatment began makes a flag, and nothing before it does."""

import pandas as pd

HEADACHE = "events: {headache: {AEDECOD: [Headache]}}"


def make_adae(*rows: tuple[object, ...], names: str = "USUBJID AEDECOD TRTEMFL") -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=names.split()).assign(STUDYID="S1")


def test_a_treatment_emergent_event_makes_the_flag(adam) -> None:
    adae = make_adae(
        ("QQ1", "HEADACHE", "Y"), ("QQ1", "HEADACHE", "Y"), ("QQ2", "HEADACHE", ""),
        ("QQ3", "NAUSEA", "Y"),
    )  # fmt: skip
    tables = adam.load(HEADACHE, adae=adae)
    assert tables.participants["headache"].tolist() == ["1", "0", "0"]
    assert adam.findings(tables) == []


def test_one_record_must_meet_all_columns(adam) -> None:
    adae = make_adae(
        ("QQ1", "Headache", "SEVERE"), ("QQ2", "Headache", "MILD"), ("QQ2", "Nausea", "SEVERE"),
        names="USUBJID AEDECOD AESEV",
    )  # fmt: skip
    tables = adam.load("events: {headache: {AEDECOD: [Headache], AESEV: [SEVERE]}}", adae=adae)
    assert tables.participants["headache"].tolist() == ["1", "0", "0"]
    assert adam.findings(tables, "warn") == [
        "there is no TRTEMFL: events before treatment count as well"
    ]


def test_events_of_who_does_not_count_are_passed_over_and_of_strangers_refused(adam) -> None:
    adae = make_adae(("QQ3", "HEADACHE", "Y"))
    tables = adam.load(HEADACHE, adae=adae, adsl=adam.adsl(ITTFL=["Y", "Y", "N"]))
    assert tables.participants["headache"].tolist() == ["0", "0"]
    error = adam.refuse(HEADACHE, adae=make_adae(("QQ9", "HEADACHE", "Y")))
    assert "1 of 1 records belong to no participant in adsl.csv" in str(error)


def test_a_value_that_never_occurs_is_warned_of_and_a_column_that_is_not_there_refused(
    adam,
) -> None:
    adae = make_adae(("QQ1", "HEADACHE", "Y"))
    tables = adam.load("events: {headache: {AEDECOD: [Hedache]}}", adae=adae)
    assert adam.findings(tables, "warn") == ["no record has the 'HEDACHE' that 'headache' asks for"]
    error = adam.refuse("events: {headache: {AEDECOT: [Headache]}}", adae=adae)
    assert "Did you mean 'AEDECOD'" in str(error)


def test_an_event_is_never_known_at_baseline(adam) -> None:
    adae = make_adae(("QQ1", "HEADACHE", "Y"))
    error = adam.refuse("events: {early_flag: {AEDECOD: [Headache]}}", adae=adae)
    assert "'early_flag' is an event after treatment began" in str(error)
    error = adam.refuse("events: {sex: {AEDECOD: [Headache]}}", adae=adae)
    assert "an event is 1 or 0, and 'sex' can't be both" in str(error)


def test_an_event_after_the_week_it_is_said_to_be_known_is_warned_of(adam) -> None:
    adae = make_adae(
        ("QQ1", "HEADACHE", "Y", 57), ("QQ2", "HEADACHE", "Y", 58),
        names="USUBJID AEDECOD TRTEMFL ASTDY",
    )  # fmt: skip
    tables = adam.load(HEADACHE, adae=adae)
    assert adam.findings(tables, "warn") == [
        "1 events of 'headache' began after week 8, when the dictionary has it known"
    ]


def test_events_that_count_until_the_end_are_never_too_late(adam) -> None:
    adae = make_adae(
        ("QQ1", "HEADACHE", "Y", 57), ("QQ2", "HEADACHE", "Y", 5000),
        names="USUBJID AEDECOD TRTEMFL ASTDY",
    )  # fmt: skip
    tables = adam.load("events: {ever: {AEDECOD: [Headache]}}", adae=adae)
    assert tables.participants["ever"].tolist() == ["1", "1", "0"]
    assert adam.findings(tables, "warn") == []


def test_events_of_a_crossover_belong_to_their_period(adam) -> None:
    adsl = adam.adsl(TRT02P=["Placebo", "Drug", ""])
    adae = make_adae(
        ("QQ1", "HEADACHE", "Y", 2), ("QQ2", "HEADACHE", "Y", 1),
        names="USUBJID AEDECOD TRTEMFL APERIOD",
    )  # fmt: skip
    first = adam.load(HEADACHE, adae=adae, adsl=adsl, bds=None)
    assert first.participants["headache"].tolist() == ["0", "1", "0"]
    assert adam.findings(first) == ["1 events are of no period that counts and are excluded"]
    both = adam.load(HEADACHE, "periods: all", adae=adae, adsl=adsl, bds=None)
    found = both.participants.set_index("usubjid")["headache"].to_dict()
    assert found == {"QQ1/1": "0", "QQ2/1": "1", "QQ3/1": "0", "QQ1/2": "1", "QQ2/2": "0"}
    error = adam.refuse(
        HEADACHE, "periods: all", adae=adae.drop(columns="APERIOD"), adsl=adsl, bds=None
    )
    assert "has no APERIOD" in str(error)
