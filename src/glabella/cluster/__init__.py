"""Clusters of workers, on which folds are fitted and batches are scored."""
