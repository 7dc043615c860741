"""An analysis: resolved, with its data, outcomes and folds."""
