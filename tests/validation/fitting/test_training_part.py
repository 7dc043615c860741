"""An ensemble does without a member that fails, and fails if all do."""

import numpy as np
import pytest

from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.seeds import derive_seed

RIDGE = Candidate(kind="candidate", description="Ridge", estimator="ridge", settings={"c": 1.0})
SEVERITY = Candidate(kind="candidate", description="Severity", estimator="severity")


def _fit(sample, **members):
    ensemble = EnsembleCandidate(
        kind="candidate", description="x", estimator="ensemble", members=tuple(members),
        resolved=members,
    )  # fmt: skip
    seed = derive_seed(1, "fit")
    return Trainer(sample, 2, 1).fit(ensemble, np.arange(sample.n), seed=seed)


def test_a_member_that_fails_is_left_out(make_sample):
    tuned = _fit(make_sample(80, with_severity=False), ridge=RIDGE, severity=SEVERITY)
    assert list(tuned.members) == ["ridge"]
    assert tuned.setting["weight_ridge"] == 1.0


def test_if_every_member_fails_each_reason_is_given(make_sample):
    with pytest.raises(ValueError, match="every member failed \\(severity: the feature set lacks"):
        _fit(make_sample(80, with_severity=False), severity=SEVERITY)


def test_weights_are_those_of_the_members_and_sum_to_one(make_sample):
    tuned = _fit(make_sample(120), ridge=RIDGE, severity=SEVERITY)
    assert set(tuned.members) == {"ridge", "severity"}
    weights = [tuned.setting[f"weight_{name}"] for name in tuned.members]
    assert sum(weights) == pytest.approx(1.0)
