"""Whatever a fit depends on is in its key, so that no fit is taken for another."""

from dataclasses import replace

import numpy as np

from glabella.models.candidate import Candidate
from glabella.validation.fitting.digest import Digester
from glabella.validation.folds.splits import Fold

VERSIONS = {"numpy": "2"}
FOLD = Fold("pooled", 0, 1, None, np.arange(6), np.arange(6, 9))
RIDGE = Candidate(kind="candidate", description="x", estimator="ridge")
OUTCOMES = np.array([[1, 0, 1, 0, 1, 0]], dtype=np.int8)


def key(digester, sample, **changed):
    stated = {
        "candidate": RIDGE, "sample": sample, "fold": FOLD, "outcomes": OUTCOMES,
        "inner_folds": 3, "seeds": (np.random.SeedSequence(4), np.random.SeedSequence(7)),
        "is_weighed": False, **changed,
    }  # fmt: skip
    return digester.make_key(**stated)


def test_whatever_a_fit_depends_on_changes_its_key(make_sample):
    sample, digester = make_sample(9), Digester(VERSIONS)
    first = key(digester, sample)
    assert key(digester, sample) == first
    features = sample.features.frame.copy()
    features.iloc[0, 0] += 1
    altered = replace(sample, features=replace(sample.features, frame=features))
    flipped = OUTCOMES.copy()
    flipped[0, 0] = 0
    others = [
        key(digester, sample, candidate=RIDGE.model_copy(update={"estimator": "xgboost"})),
        key(digester, altered),
        key(digester, sample, fold=replace(FOLD, train=np.arange(5))),
        key(digester, sample, fold=replace(FOLD, repeat=1),
            seeds=(np.random.SeedSequence(6), np.random.SeedSequence(7))),
        key(digester, sample, fold=replace(FOLD, unit="trial")),
        key(digester, sample, outcomes=flipped),
        key(digester, sample, inner_folds=4),
        key(digester, sample, seeds=(np.random.SeedSequence(5), np.random.SeedSequence(7))),
        key(digester, sample, seeds=(np.random.SeedSequence(4), np.random.SeedSequence(8))),
        key(digester, sample, is_weighed=True),
        key(digester, replace(sample, site=np.array(["S"] * 9))),
        key(Digester({"numpy": "3"}), sample),
    ]  # fmt: skip
    digests = {other.digest for other in others}
    assert first.digest not in digests
    assert len(digests) == len(others)


def test_whatever_draws_depend_on_changes_the_scope(make_sample):
    digester = Digester(VERSIONS)
    sample = make_sample(20)
    first = digester.make_scope({"ridge": RIDGE}, sample, 1)
    assert digester.make_scope({"ridge": RIDGE}, sample, 1) == first
    flipped = sample.outcomes.copy()
    flipped[0, 0] = 1 - flipped[0, 0]
    cohort = sample.cohort.astype("<U2").copy()
    cohort[0] = "b"
    others = [
        digester.make_scope({"ridge": RIDGE}, sample, 2),
        digester.make_scope({"other": RIDGE}, sample, 1),
        digester.make_scope({"ridge": RIDGE}, replace(sample, outcomes=flipped), 1),
        digester.make_scope({"ridge": RIDGE}, replace(sample, cohort=cohort), 1),
        digester.make_scope({"ridge": RIDGE}, replace(sample, active=~sample.active), 1),
        digester.make_scope({"ridge": RIDGE}, replace(sample, background=30), 1),
        Digester({"numpy": "3"}).make_scope({"ridge": RIDGE}, sample, 1),
    ]
    assert len({first, *others}) == 1 + len(others)
