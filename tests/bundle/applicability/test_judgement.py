"""What is unfamiliar in a row is said of that row, in the order of the features."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.applicability import judgement as applicability
from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.load import load_bundle


class _Likeness:
    def __init__(self, far, unlike):
        self.found = np.array(far), np.array(unlike)

    def find(self, frame):
        return self.found


@pytest.fixture
def asked(trained):
    return load_bundle(Path(trained[1].bundle))


def _rows(bundle):
    wide = {spec.name: [None] * 4 for spec in bundle.manifest.feature_specs}
    frame = pd.DataFrame(wide)
    for spec in bundle.manifest.feature_specs:
        known = bundle.manifest.ranges.get(spec.name)
        if spec.kind == "category":
            level = known.levels[0] if known else None
            kinds = pd.CategoricalDtype(list(spec.levels))
            frame[spec.name] = pd.Series([level] * 4).astype(kinds)
        else:
            frame[spec.name] = (known.low + known.high) / 2
    return frame


@pytest.mark.parametrize("most", [62, 2])
def test_each_row_has_its_own_findings(asked, monkeypatch, most):
    monkeypatch.setattr(applicability, "_MOST_FLAGS", most)
    rows = _rows(asked)
    rows.loc[1, "age_years"] = 90.0
    rows.loc[1, "sex"] = None
    rows.loc[2, "frown_max"] = np.nan
    notes, inside = describe_domain(
        rows, asked.manifest, _Likeness([False, False, True, True], [False, False, False, True])
    )
    texts = [notes.words[at] for at in notes.which]
    known = asked.manifest.ranges["age_years"]
    outside = f"Age outside the training range {known.low:.4g} years to {known.high:.4g} years"
    assert texts == [
        "",
        f"{outside}; Sex not recorded",
        "Glabellar lines at maximum frown at baseline not recorded; "
        "unusual in its combination of features",
        "unlike the participants of every training trial",
    ]
    assert inside.tolist() == [True, False, False, False]
