"""Nothing that is assessed after the clock reaches a feature or a prediction."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.bundle.load import Bundle
from glabella.bundle.predict import score_frame
from glabella.data.tables import PatientTables
from glabella.definitions.locate import find_project
from glabella.domain.timing import parse_moment
from glabella.features.assemble import build_features


@dataclass(frozen=True)
class Fitted:
    """An analysis with a bundle fitted on it, and the table that it scores."""

    loaded: LoadedAnalysis
    bundle: Bundle
    people: pd.DataFrame

    @property
    def clock(self) -> float:
        """The week of prediction."""
        return parse_moment(self.bundle.manifest.feature_set.predict_at).week

    def build(self, tables: PatientTables) -> pd.DataFrame:
        """Build the features of altered tables."""
        resolved = self.loaded.resolved
        return build_features(
            tables,
            resolved.feature_set.value,
            resolved.dictionary.value,
            arms=resolved.analysis.value.arms,
            endpoint_variable="depression_total",
        ).frame

    def score(self, tables: PatientTables) -> pd.DataFrame:
        """Score the participants from a row each, with what was assessed later beside it."""
        rows = tables.assessments.astype({"usubjid": str, "paramcd": str})
        columns = rows["paramcd"].where(rows["week"] == 0, "after_" + rows["paramcd"])
        early = rows["week"].between(1, self.clock) & (rows["paramcd"] == "depression_total")
        columns = columns.mask(early, "depression_total_week_2")
        wide = rows.assign(column=columns).pivot_table(
            index="usubjid", columns="column", values="aval", aggfunc="last"
        )
        return score_frame(self.bundle, self.people.merge(wide.reset_index(), how="left"))


@pytest.fixture(scope="module", params=["baseline", "week 2", "week 3"])
def fitted(request, make_early_project, fit_bundle, tmp_path_factory) -> Fitted:
    """Three clocks: from a later one, a visit nearest to week 2 and until then."""
    project: Path = make_early_project(tmp_path_factory.mktemp("clock") / "project")
    path = project / "features" / "early.yaml"
    text = path.read_text().replace("predict_at: week 3", f"predict_at: {request.param}")
    path.write_text(text.replace("[1, 3]", f"[1, {request.param.split()[-1]}]"))
    name = "small" if request.param == "baseline" else "early"
    loaded = load_analysis(name, find_project(project))
    assert loaded.resolved.feature_set.value.predict_at == request.param
    people = pd.read_csv(project / "participants.csv")
    return Fitted(loaded, fit_bundle(loaded), people)


def alter(tables: PatientTables, clock: float, kind: str, seed: int) -> PatientTables:
    draw = np.random.default_rng(seed)
    rows = tables.assessments.reset_index(drop=True)
    late = (rows["week"] > clock).to_numpy()
    if kind == "permuted":
        rows.loc[late, "aval"] = draw.permutation(rows.loc[late, "aval"])
    elif kind == "changed":
        rows.loc[late, "aval"] = draw.integers(0, 50, late.sum())
    elif kind == "moved":
        rows.loc[late, "week"] = clock + draw.choice([1e-6, 0.5, 40], late.sum())
    elif kind == "thinned":
        rows = rows[~late | (draw.random(len(rows)) < 0.5)]
    else:
        rows = rows[~late]
    assert not rows.equals(tables.assessments.reset_index(drop=True))
    return replace(tables, assessments=rows.reset_index(drop=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", ["permuted", "changed", "moved", "thinned", "deleted"])
def test_what_is_assessed_after_the_clock_changes_no_feature_and_no_prediction(fitted, kind, seed):
    tables = fitted.loaded.tables
    altered = alter(tables, fitted.clock, kind, seed)
    before, after = fitted.build(tables), fitted.build(altered)
    pd.testing.assert_frame_equal(after, before)
    model = fitted.bundle.model
    assert model.log_odds(after).tolist() == model.log_odds(before).tolist()
    pd.testing.assert_frame_equal(fitted.score(altered), fitted.score(tables))


def test_what_is_assessed_by_the_clock_does_change_them(fitted):
    tables = fitted.loaded.tables
    rows = tables.assessments.copy()
    of_total = rows["paramcd"] == "depression_total"
    last = rows.loc[of_total & (rows["week"] <= fitted.clock), "week"].max()
    rows.loc[of_total & (rows["week"] == last), "aval"] += 1
    altered = replace(tables, assessments=rows)
    assert not fitted.build(altered).equals(fitted.build(tables))
    assert not fitted.score(altered).equals(fitted.score(tables))


def test_the_endpoint_does_come_after_the_clock(fitted):
    window = fitted.loaded.analysis.endpoint.visit_window
    assert fitted.clock < window.low
    assert (fitted.loaded.tables.assessments["week"] > fitted.clock).any()
