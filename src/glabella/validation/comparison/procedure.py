"""The procedure that chooses among candidates, validated with its choice inside each fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glabella.validation.comparison.choice import choose_by_inner_losses
from glabella.validation.folds.fold_result import FoldResult, InnerLosses

# What the choice and the fit together are called among the candidates.
PROCEDURE = "procedure"


@dataclass(frozen=True)
class ChosenInFolds:
    """What the procedure chose and predicted in each fold.

    Parameters
    ----------
    results : tuple of FoldResult
        In each fold those of the candidate that was chosen inside its training part.
    """

    results: tuple[FoldResult, ...]

    def count(self, design: str) -> dict[str, int]:
        """Count the folds of a design in which each candidate was chosen."""
        names = [item.candidate for item in self.results if item.fold.design == design]
        return dict(Counter(names).most_common())


def choose_in_folds(results: Mapping[str, Sequence[FoldResult]]) -> ChosenInFolds:
    """Choose inside each training part, by the rule that chooses on all participants.

    Returns
    -------
    ChosenInFolds
        The chosen candidate's result in each fold. Where a training part has no inner losses,
        because a class is too rare for two inner folds, the simplest is taken.

    References
    ----------
    .. [1] Varma S, Simon R. Bias in error estimation when using cross-validation for model
       selection. BMC Bioinformatics 2006;7:91.
    """
    names = list(results)
    return ChosenInFolds(
        tuple(
            _choose(dict(zip(names, of_fold, strict=True)))
            for of_fold in zip(*results.values(), strict=True)
        )
    )


def _choose(of_fold: Mapping[str, FoldResult]) -> FoldResult:
    inner: dict[str, InnerLosses] = {
        name: item.inner for name, item in of_fold.items() if item.inner is not None
    }
    if len(inner) < len(of_fold):
        return next(iter(of_fold.values()))
    return of_fold[choose_by_inner_losses(inner).name]
