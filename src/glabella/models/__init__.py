"""Candidates, their search spaces and estimators. Only here is xgboost imported."""
