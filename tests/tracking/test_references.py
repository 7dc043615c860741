"""What can name a model, and what is refused."""

import pytest

import glabella
from glabella.definitions.locate import find_project
from glabella.errors import BundleError, DefinitionError
from glabella.tracking.models import find_bundle
from glabella.tracking.references import ModelReference, check_name, parse_reference
from glabella.tracking.registry import find_registered_bundle

BROKEN = (
    "../x", "a/b/c", "/etc/passwd", "..", ".", "", "  ", "a\0b", "x" * 5000, "a\\b", "a:b",
    "models:/a/1", "a/", "a/-1", "a/1.5", "a/٣", "a@", "@champion", "a@b@c", "a/../1",
    "a\nb", "a\x1b[31m", " a", "a/99999999999999999999",
)  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "parsed"),
    [
        ("small", ModelReference("small")),
        ("small/3", ModelReference("small", version="3")),
        ("small/03", ModelReference("small", version="3")),
        ("bont_pooled@champion", ModelReference("bont_pooled", alias="champion")),
        ("étude-2.1", ModelReference("étude-2.1")),
    ],
)
def test_a_reference_is_read(reference, parsed):
    assert parse_reference(reference) == parsed


@pytest.mark.parametrize("reference", BROKEN)
def test_what_is_no_reference_is_refused_in_a_short_message(reference):
    with pytest.raises(BundleError) as caught:
        parse_reference(reference)
    message = str(caught.value)
    assert message.endswith("a bundle is named by its folder.")
    assert len(message) < 300
    assert "\0" not in message
    assert "\x1b" not in message


@pytest.mark.parametrize("reference", ["../x", "a/b/c", "", "a\0b", "x" * 5000])
def test_promote_score_and_training_refuse_it_before_any_store_is_opened(
    small_project, reference, monkeypatch
):
    def fail(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr("glabella.tracking.registry.open_store", fail)
    monkeypatch.setattr("glabella.pipelines.promotion.promote.open_store", fail)
    monkeypatch.setattr("glabella.pipelines.training.train.open_store", fail)
    with pytest.raises(BundleError):
        glabella.promote(reference, project=small_project)
    with pytest.raises(BundleError):
        find_registered_bundle(
            reference, project=find_project(small_project), allow_simulated=False
        )
    with pytest.raises(BundleError):
        find_bundle(reference, project=find_project(small_project), allow_simulated=False)
    with pytest.raises(DefinitionError):
        glabella.train(reference, project=small_project)


@pytest.mark.parametrize(
    "reference", ["a\0b/small.yaml", "a\0.yaml", f"{'x' * 300}.yaml", "..yaml"]
)
def test_the_path_of_an_analysis_that_cannot_be_one_is_refused(small_project, reference):
    with pytest.raises(DefinitionError):
        glabella.check(reference, project=small_project)


@pytest.mark.parametrize("name", ["=cmd", "+x", "-1", "@SUM"])
def test_a_name_that_a_spreadsheet_would_run_is_refused(name):
    with pytest.raises(BundleError) as caught:
        check_name(name, "model")
    assert str(caught.value).startswith(
        f"'{name}' can't be the name of the model: it begins like a formula of a spreadsheet\n"
    )
