"""Earlier names that go on working for one release."""

import pytest
from typer.testing import CliRunner

from glabella.cli.main import app
from glabella.old_names import apply_old_names


@apply_old_names
def take(*, allow_simulated: bool = False) -> bool:
    return allow_simulated


def test_an_argument_is_taken_under_its_earlier_name_with_a_warning():
    with pytest.warns(DeprecationWarning, match="'rehearsal' is called 'allow_simulated' now"):
        assert take(rehearsal=True) is True
    assert take(allow_simulated=True) is True
    assert take() is False


def test_both_names_at_once_are_refused():
    with pytest.raises(TypeError, match="give one of them"):
        take(rehearsal=True, allow_simulated=False)


@pytest.mark.parametrize(
    ("verb", "function"),
    [
        (["score", "x.csv", "--out", "y.csv"], "glabella.scoring.batch.score"),
        (["explain", "x.csv", "--out", "y.csv"], "glabella.scoring.batch.explain"),
        (
            ["explain", "x.csv", "--out", "y.html", "--row", "1"],
            "glabella.pipelines.explain_patient.explain_patient",
        ),
        (["validate", "x.csv"], "glabella.pipelines.new_trial.validate.validate"),
        (["update", "x.csv"], "glabella.pipelines.new_trial.update.update"),
    ],
)
@pytest.mark.parametrize(
    ("given", "allowed"), [(["--rehearsal"], True), (["--allow-simulated"], True), ([], False)]
)
def test_the_earlier_option_does_what_todays_does(verb, function, given, allowed, monkeypatch):
    taken = []

    def note(*args, allow_simulated, **kwargs):
        taken.append(allow_simulated)
        raise SystemExit(0)

    monkeypatch.setattr(function, note)
    CliRunner().invoke(app, [*verb, *given], prog_name="glabella")
    assert taken == [allowed]


@pytest.mark.parametrize("verb", ["score", "explain", "validate", "update"])
def test_help_names_the_option_by_todays_name_only(verb):
    shown = CliRunner().invoke(app, [verb, "--help"], prog_name="glabella").output
    assert "--allow-simulated" in shown
    assert "--rehearsal" not in shown
