"""Arms: the analysis's names for the codes of the data."""

import numpy as np
import pandas as pd
import pytest

from glabella.analysis.definition import Analysis
from glabella.definitions.reader import parse_definition
from glabella.errors import AnalysisError, DefinitionError
from glabella.features.arms import Arm, name_arms

ARMS = (
    Arm(name="bont", role="active"),
    Arm(name="control", role="control", codes=("placebo", "crows_feet")),
)


def make_people(*codes: object) -> pd.DataFrame:
    return pd.DataFrame({"arm": pd.Series(codes, dtype=object)})


def test_several_codes_may_stand_for_one_arm() -> None:
    named = name_arms(make_people("placebo", "bont", "crows_feet"), ARMS)
    assert named.tolist() == ["control", "bont", "control"]
    assert named.cat.categories.tolist() == ["bont", "control"]


def test_an_arm_with_codes_is_not_known_by_its_name() -> None:
    assert ARMS[0].all_codes == ("bont",)
    assert ARMS[1].all_codes == ("placebo", "crows_feet")
    with pytest.raises(AnalysisError):
        name_arms(make_people("bont", "control"), ARMS)


def test_a_code_of_no_arm_is_refused_with_the_codes_there_are() -> None:
    with pytest.raises(AnalysisError) as caught:
        name_arms(make_people("bont", "placbo", "placebo"), ARMS)
    assert "a code that the analysis does not declare" in caught.value.finding
    assert str(caught.value.remedy).endswith("There are: bont, crows_feet, placebo.")


def test_a_wrongly_mapped_arm_shows_no_id_of_a_participant() -> None:
    # `arm: subject` by mistake: what stands in the column is nobody's arm but somebody's id.
    with pytest.raises(AnalysisError) as caught:
        name_arms(make_people("QQ-001", "QQ-002", "QQ-003"), ARMS)
    assert "QQ-" not in str(caught.value)


@pytest.mark.parametrize(
    "codes",
    [("bont", "placebo", np.nan), ("bont", "placebo", np.nan, "other"), ("bont", "placebo", "")],
    ids=["none_recorded", "none_recorded_and_another", "blank"],
)
def test_a_participant_without_an_arm_is_refused(codes: tuple[object, ...]) -> None:
    with pytest.raises(AnalysisError):
        name_arms(make_people(*codes), ARMS)


@pytest.mark.parametrize("codes", [("bont", "bont"), ("placebo", "crows_feet")])
def test_one_arm_only_is_refused(codes: tuple[str, ...]) -> None:
    with pytest.raises(AnalysisError) as caught:
        name_arms(make_people(*codes), ARMS)
    assert str(caught.value) == (
        "the analysis uses the arm, and all 2 participants are in one\n"
        "  Leave `arms:` out, and the candidates that need them."
    )


def test_arms_without_a_column_are_refused() -> None:
    with pytest.raises(AnalysisError) as caught:
        name_arms(pd.DataFrame({"studyid": ["A"]}), ARMS)
    assert str(caught.value) == (
        "the analysis declares arms, and no column is mapped to the arm\n"
        "  Name it: `arm:` of the participants' file; or leave `arms:` out."
    )


ANALYSIS = """
kind: analysis
description: x
seed: 1
data: {{simulate: any}}
arms: [{arms}]
endpoint: {{rule: response, of: t, week: 6, window: [4, 8], missing: non_responder}}
features: clinical
models: [ridge]
"""


@pytest.mark.parametrize(
    ("arms", "finding"),
    [
        (
            "{name: a, role: active}, {name: b, role: active}",
            "the arms need at least one active and one control",
        ),
        ("{name: b, role: control}", "the arms need at least one active and one control"),
        (
            "{name: a, role: active, codes: [x]}, {name: b, role: control, codes: [x]}",
            "an arm's code stands for two arms",
        ),
        (
            "{name: a, role: active}, {name: b, role: control, codes: [a]}",
            "an arm's code stands for two arms",
        ),
        (
            "{name: a, role: active, codes: [x]}, {name: a, role: control, codes: [y]}",
            "'a' stands for two arms",
        ),
    ],
    ids=["no_control", "no_active", "code_twice", "code_is_a_name", "name_twice"],
)
def test_arms_that_cannot_be_told_apart_are_refused(arms: str, finding: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(ANALYSIS.format(arms=arms), Analysis, name="own.yaml")
    assert finding in str(caught.value)


def test_the_active_arms_are_listed_in_their_order() -> None:
    arms = "{name: c, role: control}, {name: high, role: active}, {name: low, role: active}"
    analysis = parse_definition(ANALYSIS.format(arms=arms), Analysis, name="own.yaml").value
    assert analysis.active_arms == ("high", "low")


def test_an_arm_in_which_nobody_is_is_refused_by_name() -> None:
    participants = pd.DataFrame({"arm": ["a", "b", "a"]})
    arms = [
        Arm(name="a", role="active"),
        Arm(name="high", role="active"),
        Arm(name="b", role="control"),
    ]
    with pytest.raises(
        AnalysisError, match="no participant is in the arm 'high', so no model can learn"
    ):
        name_arms(participants, arms)


@pytest.mark.parametrize("codes", [("1", "0"), ("1.0", "0.0")])
def test_an_arms_code_may_be_written_with_decimals(codes: tuple[str, str]) -> None:
    arms = [Arm(name="a", role="active", codes=("1",)), Arm(name="b", role="control", codes=("0",))]
    assert name_arms(make_people(*codes), arms).tolist() == ["a", "b"]
