"""One number for each arm: found, centred, attributed, and restored from plain values."""

import numpy as np
import pytest

from glabella.models.arm_steps import ArmSteps, find_arm


def test_each_row_has_the_value_of_its_arm_and_an_unknown_arm_the_center(sample):
    table, _ = sample(3)
    steps = ArmSteps({"bont": 2.0}, 0.5)
    wanted = np.where(table.frame["arm"] == "bont", 2.0, 0.5)
    np.testing.assert_array_equal(steps.find_values(table.columns, table.specs), wanted)
    lost = table.frame.assign(arm=table.frame["arm"].where(np.arange(len(table.frame)) > 0))
    columns = table.columns.read(lost, table.specs)
    assert steps.find_values(columns, table.specs)[0] == 0.5


def test_without_an_arm_every_row_has_the_center(sample):
    table, _ = sample(3)
    patient = [spec for spec in table.specs if spec.part == "patient"]
    assert find_arm(patient) is None
    steps = ArmSteps({"bont": 2.0, "control": 1.0}, 1.5)
    np.testing.assert_array_equal(steps.find_values(table.columns, patient), 1.5)


def test_the_center_is_the_weighted_mean_of_a_background(sample):
    table, _ = sample(3)
    weight = np.linspace(0.0, 1.0, len(table.frame))
    weight /= weight.sum()
    steps = ArmSteps({"bont": 2.0, "control": 1.0}, 0.0)
    centred = steps.with_center(table.columns, table.specs, weight)
    is_active = (table.frame["arm"] == "bont").to_numpy()
    assert centred.center == pytest.approx(1.0 + weight[is_active].sum())
    names = [spec.name for spec in table.specs]
    added = centred.add_to(
        np.zeros((len(table.frame), len(names))), table.columns, table.specs, names
    )
    assert weight @ added[:, names.index("arm")] == pytest.approx(0.0, abs=1e-12)
    assert not np.delete(added, names.index("arm"), axis=1).any()


def test_values_come_back_from_plain_data_and_foreign_ones_are_refused(sample):
    table, _ = sample(3)
    steps = ArmSteps({"bont": 2.0, "control": -1.0}, 0.25)
    assert ArmSteps.restore(steps.export(), table.specs) == steps
    for content in (
        {"by_arm": {"other": 1.0}, "center": 0.0},
        {"by_arm": {"bont": True}, "center": 0.0},
        {"by_arm": {"bont": 1.0}},
    ):
        with pytest.raises(ValueError, match=r"arms|finite"):
            ArmSteps.restore(content, table.specs)
