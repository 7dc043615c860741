"""An explanation that is interrupted or put off goes on from the fits that are kept."""

import html
from pathlib import Path

import pandas as pd
import pytest

import glabella
from glabella.explanation import noise
from glabella.validation.adequacy import stability
from glabella.validation.comparison import permutation
from glabella.validation.fitting import nested

ASKED = "explanation: {refits: 0, permutations: 0}"
STATED = "explanation: {refits: 20, permutations: 19}"


@pytest.fixture
def project(small_project):
    path = small_project / "pipelines" / "small.yaml"
    text = path.read_text().replace(ASKED, STATED)
    text = text.replace("[prevalence, arm_only, severity, ridge, xgboost]", "[severity, ridge]")
    path.write_text(text.replace("validation:\n", "validation:\n  permutations: 19\n"))
    return small_project


def _assert_the_same(one, other):
    pd.testing.assert_frame_equal(one.frame(), other.frame())
    assert one.explained.as_json() == other.explained.as_json()
    assert one.parts["permutations"] == other.parts["permutations"]
    files = [sorted(Path(each.bundle).glob("*")) for each in (one, other)]
    assert [path.name for path in files[0]] == [path.name for path in files[1]]
    for left, right in zip(*files, strict=True):
        # Only the run's id, and what bears it, differs.
        if left.name not in ("manifest.json", "SHA256SUMS"):
            assert left.read_bytes() == right.read_bytes(), left.name


# Where the training is stopped: while outcomes are permuted, refits are made, features are
# permuted, or the model is refitted for its bundle.
STAGES = {
    "permuting participants": (permutation, "_measure_permuted_sample", 5),
    "refitting": (stability, "_refit", 7),
    "permuting features": (noise, "_measure_permuted", 9),
    "refitting to samples of trials": (stability, "_refit", 27),
}


@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupt_keeps_all_that_was_finished(project, monkeypatch, stage):
    _, name, last = STAGES[stage]
    whole = glabella.train("small", project=project, workers=1)
    calls: dict[str, int] = {}
    stopped = {"at": (name, last)}

    def count(place, function_name):
        function = getattr(place, function_name)

        def counted(*arguments):
            if stopped["at"] == (function_name, calls.get(function_name, 0)):
                raise KeyboardInterrupt
            calls[function_name] = calls.get(function_name, 0) + 1
            return function(*arguments)

        monkeypatch.setattr(place, function_name, counted)

    count(nested, "_run_fold")
    for place, function_name in {(place, each) for place, each, _ in STAGES.values()}:
        count(place, function_name)
    said = []
    with pytest.raises(KeyboardInterrupt):
        glabella.train(
            "small", project=project, workers=1, progress=lambda stage, *_: said.append(stage)
        )
    kept = list((project / "mlruns" / "unfinished" / "small").iterdir())
    assert said[-1] == f"{len(kept)} finished fits are kept: --resume goes on from there"
    stopped["at"] = ("", 0)
    resumed = glabella.train("small", project=project, workers=2, resume=True)
    _assert_the_same(whole, resumed)
    # In processes calls are not counted: all of them together, in one process, are those of a
    # training that was never interrupted.
    assert not (project / "mlruns" / "unfinished" / "small").exists()


def test_nothing_is_done_twice_after_an_interrupt(project, monkeypatch):
    done: list[tuple[str, object]] = []
    stop = {"after": 10**9}

    def count(place, name, key):
        function = getattr(place, name)

        def counted(*arguments):
            if len(done) >= stop["after"]:
                raise KeyboardInterrupt
            result = function(*arguments)
            done.append((name, key(arguments)))
            return result

        monkeypatch.setattr(place, name, counted)

    count(stability, "_refit", lambda given: (given[6], given[7]))
    count(noise, "_measure_permuted", lambda given: given[7])
    count(permutation, "_measure_permuted_sample", lambda given: (given[0].references, given[3]))
    glabella.train("small", project=project, workers=1)
    wanted, done[:] = list(done), []
    stop["after"] = len(wanted) // 2
    with pytest.raises(KeyboardInterrupt):
        glabella.train("small", project=project, workers=1)
    stop["after"] = 10**9
    glabella.train("small", project=project, workers=1, resume=True)
    assert done == wanted


def test_an_explanation_that_is_put_off_is_made_without_validating_again(project, monkeypatch):
    whole = glabella.train("small", project=project, workers=1)
    later = glabella.train("small", project=project, workers=1, explain="later")
    pd.testing.assert_frame_equal(whole.frame(), later.frame())
    assert later.explained.refits == 0
    assert "was not tested (that was put off" in later.explained.describe()
    page = html.unescape(Path(later.report).read_text(encoding="utf-8"))
    assert later.explained.describe() in page
    assert not (Path(later.bundle) / "refits.json").exists()

    def refuse(*arguments):
        # What is no exception of a part ends a training.
        raise KeyboardInterrupt("a fold was fitted again")

    monkeypatch.setattr(nested, "_run_fold", refuse)
    explained = glabella.train("small", project=project, workers=1, resume=True)
    _assert_the_same(whole, explained)
    assert explained.model_uri != later.model_uri
    assert not (project / "mlruns" / "unfinished" / "small").exists()


def test_settings_are_searched_once_a_fold_and_the_rest_is_learnt_anew():
    from glabella.definitions.locate import find_project
    from glabella.models.candidate import Candidate, join_members

    home = find_project(None)
    names = ("ridge", "spline", "boosted_forest", "ensemble")
    read = {name: home.read("models", name, Candidate).value for name in names}
    ensemble = join_members(read["ensemble"], read)
    settings = {"boosted_forest": {"n_trees": 3, "max_depth": 5, "calibration_slope": 0.4}}
    fixed = noise.apply_settings(ensemble, settings)
    forest = fixed.resolved["boosted_forest"]
    assert (forest.settings["n_trees"], forest.settings["max_depth"]) == (3, 5)
    assert "calibration_slope" not in forest.settings
    assert not {"n_trees", "max_depth"} & set(forest.search)
    assert fixed.resolved["ridge"] == read["ridge"]
    alone = noise.apply_settings(read["boosted_forest"], {"": settings["boosted_forest"]})
    assert alone.settings["n_trees"] == 3
