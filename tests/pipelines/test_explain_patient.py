"""One patient's page: steps from where the model starts to what it predicts."""

import dataclasses
import html
import re
from pathlib import Path

import numpy as np
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.domain.scales import SCALES
from glabella.errors import BundleError, DataError
from glabella.pipelines.explain_patient import explain_patient
from glabella.reporting.patient import Step, render_patient


@pytest.fixture(scope="module")
def with_refits(tmp_path_factory, make_small_project):
    project = make_small_project(tmp_path_factory.mktemp("patient"))
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace("{refits: 0, permutations: 0}", "{refits: 20, permutations: 0}")
    text = text.replace("[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, xgboost]")
    path.write_text(text.replace("  inside: {folds: 3, repeats: 1}\n", ""))
    return glabella.train("small", project=project, workers=2)


@pytest.fixture
def table(new_patients, tmp_path):
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_the_steps_lead_to_the_scored_probability(with_refits, table, new_patients, tmp_path):
    bundle = load_bundle(Path(with_refits.bundle))
    done = explain_patient(table, row=3, out=tmp_path / "p.html", model=with_refits.bundle)
    page = done.page
    scored = score_frame(bundle, new_patients).iloc[2]
    assert page.probability == pytest.approx(scored["response_probability"], abs=1e-9)
    assert page.steps[0].before == page.base
    for one, other in zip(page.steps, page.steps[1:], strict=False):
        assert one.after == other.before
    assert page.steps[-1].after == pytest.approx(page.probability, abs=1e-6)
    assert not page.steps[0].is_patient
    sizes = [abs(step.effect) for step in page.steps[1:]]
    assert sizes == sorted(sizes, reverse=True)


def test_ranges_are_of_the_refits_kept(with_refits, table, new_patients, tmp_path):
    bundle = load_bundle(Path(with_refits.bundle))
    assert len(bundle.refits) == 20
    page = explain_patient(table, row=1, out=tmp_path / "p.html", model=with_refits.bundle).page
    assert page.refits == 20
    assert page.low < page.high
    assert all(step.low <= step.high for step in page.steps)
    assert any(step.low < step.high for step in page.steps)


def test_the_page_reads_aloud_and_says_what_it_is(with_refits, table, tmp_path, new_patients):
    done = explain_patient(table, row=1, out=tmp_path / "p.html", model=with_refits.bundle)
    text = " ".join(html.unescape((tmp_path / "p.html").read_text()).split())
    assert done.page.sentence in text
    assert "not a medical device" in text
    assert "Training participants most like this one" in text
    assert re.search(r"nearest to this patient; it has \d\d\.", text)
    alone = render_patient(dataclasses.replace(done.page, is_alike_all=True, alike_size=119))
    assert "All training participants (too few to form groups" in " ".join(alone.split())
    assert "most like this one" not in alone
    assert "of 20 refits to samples of the training trials, and of the participants in each" in text
    assert "middle 95 %" not in text
    # The total as the table gives it, and no more of the percentage than is read aloud.
    points, scale = new_patients["depression_total"].iloc[0], new_patients["scale"].iloc[0]
    severity = next(step for step in done.page.steps if step.label == "Baseline severity")
    told = SCALES[scale]
    assert severity.value.startswith(f"{points} of {told.maximum:g} points on the {told.label}, ")
    assert re.search(r", \d+ % of the scale's range$", severity.value)
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert str(new_patients["usubjid"].iloc[0]) not in text
    for step in done.page.steps:
        assert step.words in text


def test_without_refits_there_is_no_range_and_it_says_so(trained, table, tmp_path):
    done = explain_patient(table, row=1, out=tmp_path / "p.html", model=trained[1].bundle)
    assert done.page.low is None
    assert "there are no ranges" in (tmp_path / "p.html").read_text()


def test_who_is_unlike_the_training_participants_is_marked(trained, new_patients, tmp_path):
    new_patients.loc[0, "age"] = 89
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    explain_patient(tmp_path / "new.csv", row=1, out=tmp_path / "p.html", model=trained[1].bundle)
    text = (tmp_path / "p.html").read_text()
    assert "Unlike the training participants" in text
    assert "Age outside the training range" in text


@pytest.mark.parametrize(("row", "finding"), [(31, "has 30 rows, and no row 31"), (0, "no row 0")])
def test_a_row_that_is_not_there_is_refused(trained, table, tmp_path, row, finding):
    with pytest.raises(DataError, match=finding):
        explain_patient(table, row=row, out=tmp_path / "p.html", model=trained[1].bundle)
    assert not (tmp_path / "p.html").exists()


def test_a_faulty_row_is_refused_with_its_reason(trained, new_patients, tmp_path):
    faulty = new_patients.astype(str)
    faulty.loc[4, "age"] = "?"
    faulty.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="row 5 is refused: age is not a number"):
        explain_patient(
            tmp_path / "new.csv", row=5, out=tmp_path / "p.html", model=trained[1].bundle
        )


def test_a_page_replaces_nothing_and_is_refused_before_the_table_is_read(trained, table, tmp_path):
    model, before = trained[1].bundle, table.read_bytes()
    kept = tmp_path / "kept.html"
    kept.write_text("kept")
    twin = tmp_path / "twin.html"
    twin.symlink_to(table)
    for source, out, finding in (
        (table, kept, "exists already"),
        (table, twin, "the output is the input"),
        (table, tmp_path / "none" / "p.html", "folder does not exist"),
        (table, table, "can't be a '.csv' file"),
        (tmp_path / "missing.csv", kept, "exists already"),
    ):
        with pytest.raises(DataError, match=finding):
            explain_patient(source, row=1, out=out, model=model)
    assert kept.read_text() == "kept" and table.read_bytes() == before


def test_a_participant_of_an_earlier_row_is_refused_as_in_a_batch(trained, new_patients, tmp_path):
    new_patients.loc[4, "usubjid"] = new_patients.loc[1, "usubjid"]
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    asked = {"out": tmp_path / "p.html", "model": trained[1].bundle}
    with pytest.raises(DataError, match="row 5 is refused: usubjid is in an earlier row too"):
        explain_patient(tmp_path / "new.csv", row=5, **asked)
    explain_patient(tmp_path / "new.csv", row=2, **asked)
    assert (tmp_path / "p.html").exists()


def test_a_step_that_rounds_to_nothing_raises_and_lowers_nothing():
    step = Step("Age", "40 years", -0.02, None, None, 0.312, 0.307, True)
    assert step.words == "Age, 40 years: hardly changes the chance."
    further = dataclasses.replace(step, after=0.296)
    assert further.words == "Age, 40 years: lowers the chance from 31 % to 30 %."


def test_a_missing_value_is_said_to_be_filled_in_by_a_model_that_does_so(
    trained, new_patients, tmp_path
):
    new_patients.loc[0, "sex"] = None
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    model = trained[1].bundle
    done = explain_patient(tmp_path / "new.csv", row=1, out=tmp_path / "p.html", model=model)
    fills = load_bundle(Path(model)).model.fills_missing
    words = "not recorded, filled in as in training" if fills else "not recorded"
    assert next(step for step in done.page.steps if step.label == "Sex").value == words
    assert "Sex not recorded" in done.page.domain_note


def test_markup_in_a_model_is_escaped(trained, table, tmp_path):
    page = explain_patient(table, row=1, out=tmp_path / "p.html", model=trained[1].bundle).page
    evil = dataclasses.replace(
        page,
        description="<script>alert(1)</script>",
        steps=tuple(dataclasses.replace(step, value="<img src=x>") for step in page.steps),
    )
    text = render_patient(evil)
    assert "<script" not in text and "<img src=x" not in text


def test_changed_refits_are_refused(with_refits, tmp_path):
    import shutil

    folder = tmp_path / "bundle"
    shutil.copytree(with_refits.bundle, folder)
    content = bytearray((folder / "refits.json.gz").read_bytes())
    content[40] ^= 1
    (folder / "refits.json.gz").write_bytes(content)
    with pytest.raises(BundleError, match="changed after the bundle was saved"):
        load_bundle(folder)


def test_refits_differ_as_much_as_bootstrap_samples_do(with_refits, new_patients):
    bundle = load_bundle(Path(with_refits.bundle))
    from glabella.bundle.predict import build_scoring_features

    rows = build_scoring_features(bundle, new_patients, arm=None).features
    drawn = np.array([model.predict_proba(rows)[:, 1] for model in bundle.refits])
    assert (drawn.std(axis=0) > 0.005).mean() > 0.8
