import pytest

from glabella.definitions.reader import parse_definition
from glabella.errors import DefinitionError
from glabella.models.candidate import Candidate

HEAD = "kind: candidate\ndescription: x\nestimator: ridge\n"


def test_a_candidate_is_one_unless_it_is_a_reference() -> None:
    candidate = parse_definition(HEAD, Candidate, name="m.yaml").value
    assert (candidate.role, candidate.settings, candidate.search) == ("candidate", {}, {})


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (
            "role: refrence\n",
            "m.yaml:4: 'refrence' is no value of 'role'\n"
            "  Did you mean 'reference'? There are: candidate, reference.",
        ),
        (
            "serach: {}\n",
            "m.yaml:4: unknown key 'serach'\n  Did you mean 'search'? There are: "
            "calibration, description, draws, estimator, kind, label, members, role, search, "
            "settings.",
        ),
        (
            "search:\n  c:\n    lgo: [1, 2]\n",
            "m.yaml:6: unknown key 'lgo'\n"
            "  Did you mean 'log'? There are: choice, each, integer, log, uniform.",
        ),
        ("draws: 0\n", "m.yaml:4: 'draws' must be at least 1"),
        (
            "search: {c: {log: [1, 0.1]}}\n",
            "m.yaml:4: 'search.c': the bounds must go from low to high",
        ),
    ],
    ids=["role", "key", "form", "draws", "bounds"],
)
def test_a_wrong_candidate_is_answered_with_its_line(rest: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(HEAD + rest, Candidate, name="m.yaml")
    assert str(caught.value) == message
