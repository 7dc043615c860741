"""A key that a scenario does not state changes none of its draws."""

import hashlib

import pytest

from glabella.simulation.frames import simulate_trials

from .conftest import read

# SHA-256 of the tables with seed 3, numbers to nine digits, before the keys of "Further
# mechanisms" (docs/simulation.md) were added.
BEFORE: dict[str, str] = {
    "active_control": "d6ca6b123612aae2",
    "bont_pooled": "32e889060b22034d",
    "dropout_at_random": "c04fc30343f27e6d",
    "dropout_not_at_random": "81831381e0045c40",
    "illusory": "b541cc2511c16a8a",
    "large": "830291435f0ba2ac",
    "no_signal": "1dd14c39744936eb",
    "predictive": "ef7802ed554f0d11",
    "prognostic_only": "858a2b0f68f8fc07",
    "shifted": "7be890f766426b0a",
    "varied_trials": "d6e057b4a760ffbb",
}
TABLES = ("participants", "assessments", "events", "new_patients", "truth", "variables", "limits")


@pytest.mark.parametrize("name", list(BEFORE))
def test_a_shipped_scenario_draws_the_same_tables_as_before(name: str) -> None:
    simulated = simulate_trials(read(name).with_participants(400), seed=3)
    digest = hashlib.sha256()
    for table in TABLES:
        text = getattr(simulated, table).to_csv(index=False, float_format="%.9g")
        digest.update(text.encode())
    assert digest.hexdigest()[:16] == BEFORE[name]
