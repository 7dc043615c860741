"""What a candidate did on one fold is kept as it was."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from glabella.validation.folds.fold_result import FoldResult
from glabella.validation.folds.splits import Fold

FOLD = Fold("pooled", 0, 0, None, np.array([0, 1]), np.array([2]))


def test_a_result_has_neither_error_nor_inner_losses_by_default():
    result = FoldResult("ridge", FOLD, np.array([0.4]), None, {"c": 1.0}, 0.1)
    assert (result.error, result.inner) == (None, None)


def test_a_result_cannot_be_changed_afterwards():
    result = FoldResult("ridge", FOLD, None, None, {}, 0.1, error="one class only")
    with pytest.raises(FrozenInstanceError):
        result.error = None
