"""A manifest made by hand, for tests of tables that need no trained model."""

import json

import pytest

from glabella.bundle.manifest import Manifest

_FORM = {
    "name": "clinic",
    "columns": {
        "age_years": {"column": "age"},
        "sex": {"column": "geschlecht", "codes": {"1": "F", "2": "M"}},
    },
    "visits": [],
    "ids": ["site", "id"],
}
_DICTIONARY = {
    "name": "dictionary",
    "columns": {"age_years": {"column": "age_years"}, "sex": {"column": "sex"}},
    "visits": [],
    "ids": ["id"],
}


@pytest.fixture
def manifest() -> Manifest:
    """The manifest of a model of age and sex, with a source's form and the dictionary's."""
    plain = {
        "format": 7, "glabella": "0", "analysis": "a", "description": "d", "origin": "real",
        "model": "m", "candidate": "c", "endpoint": "e", "estimand": {},
        "endpoint_is_relative": False, "intended_use": "", "not_for": "",
        "variables": {
            "age_years": {"label": "Age", "type": "number", "unit": "years", "range": [18, 95]},
            "sex": {"label": "Sex", "type": "category", "codes": {"F": "female", "M": "male"}},
        },
        "feature_set": {
            "kind": "feature_set", "description": "d", "predict_at": "baseline",
            "features": [{"name": "age_years"}, {"name": "sex"}],
        },
        "specs": [
            {
                "name": "age_years", "label": "Age", "kind": "number", "part": "patient",
                "levels": {}, "unit": "years", "is_severity": False,
            },
            {
                "name": "sex", "label": "Sex", "kind": "category", "part": "patient",
                "levels": {"F": "female", "M": "male"}, "unit": None, "is_severity": False,
            },
        ],
        "forms": [_FORM, _DICTIONARY], "outcome": None, "required": ["age_years"], "scales": [],
        "arms": [], "training": {},
        "ranges": {"age_years": {"low": 20, "high": 80}, "sex": {"levels": ["F", "M"]}},
        "reference": {
            "age_years": {"edges": [50], "counts": [20, 20], "missing": 0},
            "sex": {"groups": [["F"], ["M"]], "counts": [25, 15], "missing": 0},
        },
        "attributions": "", "groups": {}, "finding": "", "beyond_noise": {}, "performance": {},
        "provenance": {},
    }  # fmt: skip
    return Manifest.model_validate_json(json.dumps(plain))
