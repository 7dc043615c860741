"""What an arm adds is said on the scale of the attributions, with its direction."""

import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.pipelines.training.arm_steps import ArmStep, compare_arms


def test_a_step_is_an_odds_ratio_or_percentage_points():
    assert ArmStep("BoNT/A", "Placebo", 0.6931472, "log odds").words == (
        "Against Placebo, BoNT/A raises the odds of response on average (x 2.00)."
    )
    assert ArmStep("BoNT/A", "Placebo", -0.07, "probability").words == (
        "Against Placebo, BoNT/A lowers the chance on average by 7 percentage points."
    )


def test_a_step_is_the_difference_of_the_arms_mean_attributions(trained):
    project, result = trained
    loaded = load_analysis("small", find_project(project))
    told = result.explained.attributions
    [arm] = [
        name
        for name, is_patient in zip(told.features, told.is_patient, strict=True)
        if not is_patient
    ]
    values = told.values[:, told.features.index(arm)]
    active = loaded.sample.arm == "bont"
    [step] = compare_arms(loaded, told)
    assert (step.arm, step.against) == ("BoNT/A", "Placebo")
    assert step.value == pytest.approx(values[active].mean() - values[~active].mean())
