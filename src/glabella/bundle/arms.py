"""The arm under which a table is scored, or all of them beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from glabella.bundle.manifest import Manifest
from glabella.errors import DataError, describe_choices
from glabella.models.arm_steps import find_arm
from glabella.models.estimators.interface import ResponderModel

Floats = npt.NDArray[np.float64]

ALL_ARMS = "all"


def choose_arm(manifest: Manifest, named: str | None) -> str | None:
    """Choose the named arm, by default the first active one; None for a model without arms."""
    names = [arm.name for arm in manifest.arms]
    if named is None:
        active = [arm.name for arm in manifest.arms if arm.role == "active"]
        return active[0] if active else None
    if named not in names:
        raise DataError(
            f"the model has no arm '{named}'", place="--arm", remedy=describe_choices(named, names)
        )
    return named


def choose_scored_arm(manifest: Manifest, named: str | None) -> str | None:
    """Choose the arm of the score itself: if all are asked for, the first active one."""
    return choose_arm(manifest, None if compares_arms(manifest, named) else named)


def compares_arms(manifest: Manifest, named: str | None) -> bool:
    """Whether all arms are asked for, which an arm of that name is not."""
    if named != ALL_ARMS or any(arm.name == ALL_ARMS for arm in manifest.arms):
        return False
    if not manifest.arms or find_arm(manifest.feature_specs) is None:
        raise DataError(
            "the model does not know of arms, so there are none to compare",
            place="--arm",
            remedy="Leave --arm out.",
        )
    names = {arm.name for arm in manifest.arms}
    clashing = sorted(n for n in names if {f"{n}_low", f"{n}_high"} & names)
    if clashing:
        raise DataError(
            f"the columns of the arm '{clashing[0]}' and those of an arm named after it would be "
            "the same",
            place="--arm",
            remedy="Score one arm at a time.",
        )
    return True


def compare_arms(
    manifest: Manifest,
    model: ResponderModel,
    refits: Sequence[ResponderModel],
    features: pd.DataFrame,
) -> dict[str, Floats]:
    """Predict under every arm, and subtract the first control from each active arm.

    Returns
    -------
    dict of array of float, shape (n_rows,)
        ``probability_ARM`` of each arm and ``difference_ARM`` of each active one; with refits also
        the range of each over them, ``_low`` and ``_high``.
    """
    controls = [arm.name for arm in manifest.arms if arm.role == "control"]
    active = [arm.name for arm in manifest.arms if arm.role == "active"]
    by_arm = {
        arm.name: [_predict_under(each, features, manifest, arm.name) for each in (model, *refits)]
        for arm in manifest.arms
    }
    columns: dict[str, Floats] = {}
    for name, (kept, *drawn) in by_arm.items():
        columns |= _describe(f"probability_{name}", kept, drawn)
    for name in active if controls else ():
        kept, *drawn = (
            under - against
            for under, against in zip(by_arm[name], by_arm[controls[0]], strict=True)
        )
        columns |= _describe(f"difference_{name}", kept, drawn)
    return columns


def _predict_under(
    model: ResponderModel, features: pd.DataFrame, manifest: Manifest, arm: str
) -> Floats:
    name = find_arm(manifest.feature_specs)
    if not len(features) or name is None:
        return np.empty(0)
    given = pd.Categorical([arm] * len(features), categories=features[name].cat.categories)
    return np.asarray(expit(model.log_odds(features.assign(**{name: given}))), dtype=float)


def _describe(name: str, kept: Floats, drawn: Sequence[Floats]) -> dict[str, Floats]:
    if not drawn:
        return {name: kept}
    low, high = np.min(drawn, axis=0), np.max(drawn, axis=0)
    return {name: kept, f"{name}_low": low, f"{name}_high": high}
