"""Other definitions of the endpoint: what they inherit, and which are refused where."""

import pytest

import glabella
from glabella.analysis.resolve import resolve_analysis
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError, DefinitionError


def rewrite(project, old, new, name="small"):
    path = project / "pipelines" / f"{name}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def add(project, lines, name="small"):
    rewrite(project, "features: clinical\n", f"sensitivity:\n{lines}features: clinical\n", name)


def resolve(project, name="small"):
    return resolve_analysis(name, find_project(project)).alternatives


def test_an_alternative_inherits_what_it_does_not_change(small_project):
    add(
        small_project,
        "  - observed_only\n"
        "  - {name: later, week: 8, window: [7, 9]}\n"
        "  - {name: points, points: 6}\n"
        "  - {name: remission, rule: remission}\n"
        "  - {missing: {strategy: delta, points: 3}}\n",
    )
    strategy, later, points, remission, delta = resolve(small_project)
    assert (strategy.name, strategy.endpoint.fraction) == ("observed_only", 0.5)
    assert strategy.endpoint.missing.strategy == "observed_only"
    assert (later.endpoint.week, later.endpoint.fraction) == (8.0, 0.5)
    assert later.endpoint.missing.strategy == "non_responder"
    assert (points.endpoint.points, points.endpoint.fraction) == (6.0, None)
    assert (remission.endpoint.rule, remission.endpoint.fraction) == ("remission", None)
    assert (delta.name, delta.endpoint.missing.points) == ("delta +3 points", 3.0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "  - {week: 8, window: [7, 9]}\n",
            "what differs in more than `missing` needs a name\n  Write `name:` beside it",
        ),
        (
            "  - observed_onyl\n",
            "there is no strategy 'observed_onyl'. Did you mean 'observed_only'?",
        ),
        ("  - {name: x, weak: 8}\n", "unknown key 'weak'\n  Did you mean 'week'?"),
        ("  - {name: x, window: [-1, 8]}\n", "the endpoint's window must begin after baseline"),
        ("  - non_responder\n", "this is the endpoint of the analysis itself"),
        ("  - {name: x, of: depresion_total}\n", "no variable 'depresion_total'"),
        ("  - {name: x, of: sex}\n", "'sex' is not assessed at visits"),
        (
            "  - {name: x, intercurrent: {rescue: {strategy: composite, of: sex}}}\n",
            "the event 'rescue' needs a number that is recorded once, and 'sex' is none",
        ),
        (
            "  - {name: x, intercurrent: {rescue: {strategy: composite, of: sex, code: X}}}\n",
            "'X' is no code of 'sex'",
        ),
    ],
)
def test_an_impossible_alternative_is_refused_at_its_line(small_project, line, message):
    add(small_project, line)
    text = (small_project / "pipelines" / "small.yaml").read_text()
    number = text[: text.index(line)].count("\n") + 1
    with pytest.raises(DefinitionError) as caught:
        resolve(small_project)
    assert str(caught.value).startswith(f"pipelines/small.yaml:{number}: ")
    assert message in str(caught.value)


def test_two_alternatives_of_one_name_are_refused(small_project):
    add(small_project, "  - observed_only\n  - observed_only\n")
    with pytest.raises(DefinitionError, match="the name 'observed_only' stands twice"):
        resolve(small_project)


def test_an_alternative_that_the_data_can_not_support_stops_before_anything_is_fitted(
    small_project,
):
    add(small_project, "  - multiple_imputation\n")
    with pytest.raises(AnalysisError) as caught:
        glabella.check("small", project=small_project)
    assert "pipelines/small.yaml:" in caught.value.place
    assert "no visit after baseline other than the endpoint" in str(caught.value)
