"""A new trial: how the model did there, and the versions that it leads to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError, BundleError, DataError
from glabella.simulation.frames import simulate_tables
from glabella.simulation.scenario.reading import read_scenario
from glabella.tracking.registry import list_versions_of
from glabella.tracking.runs import list_finished
from glabella.tracking.store import load_mlflow, open_store

from ...conftest import PLAIN_ANALYSIS, make_small_tables

OUTCOME, ARM = "responded", "arm"


def make_new_trial(seed: int, name: str = "gamma", *, easier: float = 0.0) -> pd.DataFrame:
    """A table as for scoring with arm and outcome; `easier` turns so many others to responders."""
    people, assessments = make_small_tables(seed)
    wide = assessments.pivot(index="usubjid", columns=["paramcd", "week"], values="aval")
    baseline, later = wide["depression_total"][0], wide["depression_total"][6]
    table = people.drop(columns="siteid").assign(studyid=name)
    table["usubjid"] = [f"N{seed}-{number:03d}" for number in range(len(table))]
    for column in ("depression_total", "frown_max", "frown_rest"):
        table[column] = wide[column][0].to_numpy()
    responded = (later <= baseline / 2).to_numpy()
    responded = responded | (np.random.default_rng(seed).random(len(table)) < easier)
    outcome = pd.Series(np.where(responded, "1", "0"), dtype=object)
    return table.assign(**{OUTCOME: outcome.where(later.notna().to_numpy(), "")})


def _read_words(page: str) -> str:
    """Read a page with its lines joined, as a browser shows them."""
    return " ".join(Path(page).read_text().split())


def write(folder: Path, table: pd.DataFrame, name: str = "gamma") -> Path:
    path = folder / f"{name}.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def project(registry) -> Path:
    return registry[0]


def validate(project: Path, *tables: Path, **more: object) -> glabella.validate:
    asked = {"outcome": OUTCOME, "arm_column": ARM, "model": "small/1", "project": project, **more}
    return glabella.validate(*tables, **asked)


def update(project: Path, table: Path, **more: object) -> glabella.update:
    asked = {"outcome": OUTCOME, "arm_column": ARM, "model": "small/1", "project": project, **more}
    return glabella.update(table, **asked)


class TestValidation:
    @pytest.fixture
    def result(self, project, tmp_path):
        return validate(project, write(tmp_path, make_new_trial(31)))

    def test_tells_each_measure_and_what_became_of_the_promise(self, result, project) -> None:
        [item] = result.trials
        assert (item.performance.n, item.trial.without_outcome, item.trial.rows) == (118, 2, 120)
        assert item.trial.overlap == 0
        plain = json.loads(json.dumps(result.as_json(), allow_nan=False))
        [told] = plain["trials"]
        assert told["auc_low"] < told["auc"] < told["auc_high"]
        assert told["promise"] in ("kept", "not shown to be broken", "broken")
        assert plain["promised"]["low"] < plain["promised"]["high"]
        assert {each["trial"] for each in told["likeness"]} == {"alpha", "beta"}
        # Drawn by the same recipe, so nothing tells it from the trials of training.
        assert all(each["auc"] < 0.65 for each in told["likeness"])
        assert told["moved"] == [] or len(told["moved"]) < 3
        mix = told["case_mix"]
        assert mix["by_case_mix"] + mix["by_model"] == pytest.approx(
            mix["observed"] - mix["promised"]
        )
        page = Path(result.report).read_text()
        assert item.verdict.split(".")[0] in page and "N31" not in page
        assert "<svg" in page and "AUC of membership" in _read_words(result.report)
        saved = json.loads(Path(result.report).with_name("validation.json").read_text())
        # What is logged hides that two have no outcome.
        assert (told["without_outcome"], saved["trials"][0]["without_outcome"]) == (2, None)
        hidden = {**told, "without_outcome": None}
        hidden["out_of_domain"] = saved["trials"][0]["out_of_domain"]
        assert saved == {**plain, "trials": [hidden]}

    def test_predicts_as_scoring_does(self, result, project, tmp_path) -> None:
        table = make_new_trial(31)
        path = write(tmp_path, table)
        for arm in ("bont", "placebo"):
            scores = glabella.score(
                path, out=tmp_path / f"{arm}.csv", model="small/1", arm=arm, project=project
            ).frame()
            mine = ((table[ARM] == arm) & (table[OUTCOME] != "")).to_numpy()
            trial = result.trials[0].trial
            assert trial.probability[trial.sample.arm == arm] == pytest.approx(
                scores.loc[mine, "response_probability"].to_numpy(), abs=1e-12
            )

    def test_one_arm_may_be_stated_for_all(self, project, tmp_path) -> None:
        table = make_new_trial(31)
        path = write(tmp_path, table[table[ARM] == "bont"], "treated")
        result = validate(project, path, arm_column=None, arm="bont")
        both = validate(project, path)
        assert set(result.trials[0].trial.sample.arm) == {"bont"}
        assert set(result.trials[0].trial.sample.trial) == {"treated"}
        assert result.trials[0].performance == both.trials[0].performance

    def test_is_a_run_beside_the_models_and_no_training(self, result, project) -> None:
        store = open_store(find_project(project), create=False)
        assert result.run_id not in [run.run_id for run in list_finished(store)]
        client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db")
        run = client.get_run(result.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.tags["validated_model"] == result.model
        assert run.data.metrics["new_gamma.auc"] == pytest.approx(
            result.trials[0].performance.estimates["auc"].value
        )
        for folder in (project / "mlruns" / "artifacts").rglob("*"):
            assert not folder.is_file() or b"N31-0" not in folder.read_bytes()

    def test_several_trials_stand_in_the_order_given(self, project, tmp_path) -> None:
        paths = [
            write(tmp_path, make_new_trial(seed, name, easier=easier), name)
            for seed, name, easier in ((41, "first (a)", 0.0), (42, "second", 0.3))
        ]
        result = validate(project, *paths)
        assert result.frame()["trial"].tolist() == ["first (a)", "second"]
        assert "promised at training" in Path(result.report).read_text()
        later = result.trials[1]
        assert "more responders than predicted" in later.verdict
        assert len(result.plot().axes) == 1

    def test_a_broken_promise_is_said_when_it_broke(self, project, tmp_path) -> None:
        turned = make_new_trial(43, "turned")
        known = turned[OUTCOME] != ""
        people = turned[known].sort_values("illness")
        # Who fell ill long ago responds, where in training a short illness went with response.
        people[OUTCOME] = np.where(np.arange(len(people)) > len(people) / 2, "1", "0")
        good = write(tmp_path, make_new_trial(31), "good")
        bad = write(tmp_path, people, "turned")
        with pytest.raises(DataError, match="much better with response and no response swapped"):
            validate(project, good, bad)
        result = validate(project, good, bad, allow_reversed=True)
        assert [item.promise for item in result.trials][1] == "broken"
        assert result.statement == "The prediction interval of training failed first in turned."
        assert "its whole interval lie outside" in result.trials[1].verdict
        assert "in the opposite order" in result.trials[1].verdict


class TestAnAnalysisOfTheNewTrial:
    @pytest.fixture
    def new_project(self, project):
        people, assessments = make_small_tables(51)
        ids = {old: f"M-{old}" for old in people["usubjid"]}
        for name, table in (("participants", people), ("assessments", assessments)):
            moved = table.assign(
                usubjid=table["usubjid"].map(ids), studyid="delta_" + table["studyid"]
            )
            moved.to_csv(project / f"new_{name}.csv", index=False)
        text = PLAIN_ANALYSIS.replace("participants.csv", "new_participants.csv")
        text = text.replace("assessments.csv", "new_assessments.csv")
        (project / "pipelines" / "later.yaml").write_text(text)
        # The first version was trained with all features, which the second's file lacks.
        shutil.copy(Path(__file__).parents[3] / "features" / "clinical.yaml", project / "features")
        return project

    def test_derives_outcomes_as_it_says(self, new_project) -> None:
        result = glabella.validate("later", model="small/1", project=new_project)
        assert [item.trial.name for item in result.trials] == ["delta_alpha", "delta_beta"]
        assert all(item.performance.n == 60 for item in result.trials)
        assert all(item.trial.overlap == 0 for item in result.trials)

    def test_of_another_endpoint_or_features_is_refused(self, new_project) -> None:
        path = new_project / "pipelines" / "later.yaml"
        text = path.read_text()
        path.write_text(text.replace("fraction: 0.5", "fraction: 0.4"))
        with pytest.raises(AnalysisError, match="endpoint is not the model's"):
            glabella.validate("later", model="small/1", project=new_project)
        path.write_text(text)
        with pytest.raises(AnalysisError, match="the model") as refused:
            features = new_project / "features" / "clinical.yaml"
            kept = [line for line in features.read_text().splitlines() if "age_years" not in line]
            features.write_text("\n".join(kept) + "\n")
            glabella.validate("later", model="small/1", project=new_project)
        assert "lacks the feature 'age_years'" in refused.value.finding

    def test_of_the_training_itself_is_refused(self, new_project) -> None:
        with pytest.raises(DataError, match="60 of its participants were trained on"):
            glabella.validate("small", model="small/1", project=new_project)


class TestRefusals:
    @pytest.mark.parametrize(
        ("spoil", "match"),
        [
            (lambda t: t.drop(columns="age"), "lacks the column 'age'"),
            (lambda t: t.drop(columns=OUTCOME), "no column 'responded'"),
            (
                lambda t: t.assign(responded="perhaps"),
                "nothing says which value",
            ),
            (lambda t: t.assign(arm="saline"), "name no arm of the model"),
            (lambda t: t.assign(responded="1"), "all 120 known outcomes are read as response"),
            (lambda t: t.head(8), "under 5"),
        ],
    )
    def test_a_table_that_says_nothing(self, project, tmp_path, spoil, match) -> None:
        path = write(tmp_path, spoil(make_new_trial(31)))
        with pytest.raises(DataError, match=match) as refused:
            validate(project, path)
        assert "gamma" in (refused.value.place or "")
        assert "N31" not in str(refused.value) and "perhaps" not in str(refused.value)
        assert not (project / "mlruns" / "validated").exists()

    def test_twenty_patients_are_measured_and_no_more_claimed(self, project, tmp_path) -> None:
        table = make_new_trial(31).query("responded != ''")
        few = pd.concat([table.query("responded == '1'").head(9),
                         table.query("responded == '0'").head(11)])  # fmt: skip
        result = validate(project, write(tmp_path, few))
        [item] = result.trials
        assert item.performance.n == 20
        assert "under 5 participants for each" in item.update.reason
        assert item.performance.estimates["brier"].value is not None

    def test_participants_of_training_unless_stated(self, project, tmp_path) -> None:
        table = make_new_trial(31)
        trained = make_small_tables(11)[0]
        table.loc[:2, ["studyid", "usubjid"]] = trained.loc[:2, ["studyid", "usubjid"]]
        path = write(tmp_path, table)
        with pytest.raises(DataError, match="3 of its participants were trained on"):
            validate(project, path)
        result = validate(project, path, allow_overlap=True)
        assert result.trials[0].trial.overlap == 3
        assert "3 of them took part in training" in _read_words(result.report)

    def test_what_can_not_be_told_is_said(self, project, tmp_path) -> None:
        shutil.rmtree(project / "mlruns" / "keys")
        result = validate(project, write(tmp_path, make_new_trial(31)))
        assert result.trials[0].trial.overlap is None
        assert "It is unknown whether some of them took part" in _read_words(result.report)

    def test_no_arm_two_names_and_no_outcome(self, project, tmp_path) -> None:
        path = write(tmp_path, make_new_trial(31))
        renamed = write(tmp_path, make_new_trial(31).rename(columns={ARM: "treatment"}), "renamed")
        with pytest.raises(DataError, match="nothing says which each row had"):
            validate(project, renamed, arm_column=None)
        with pytest.raises(DataError, match="which column holds the outcome"):
            validate(project, path, outcome=None)
        with pytest.raises(DataError, match="two tables are called 'gamma'"):
            validate(project, path, path)
        with pytest.raises(DataError, match="no table"):
            validate(project)

    def test_an_interrupt_leaves_no_report_and_a_failed_run(
        self, project, tmp_path, monkeypatch
    ) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("glabella.pipelines.new_trial.validate.render_new_trials", interrupt)
        with pytest.raises(KeyboardInterrupt):
            validate(project, write(tmp_path, make_new_trial(31)))
        assert list((project / "mlruns" / "validated").iterdir()) == []
        client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db")
        runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
        assert runs[0].info.status == "FAILED"


class TestUpdates:
    @pytest.fixture
    def easier(self, tmp_path) -> Path:
        """More respond than the model foresees, in either arm."""
        return write(tmp_path, make_new_trial(61, easier=0.35))

    def test_the_least_that_is_needed_is_written_beside_the_parent(self, project, easier) -> None:
        before = load_bundle(_find_bundle(project, "small/1"))
        versions = len(_list(project))
        result = update(project, easier)
        assert result.update in ("in the large", "intercept and slope")
        intercept = result.after.estimates["calibration_intercept_all"].value
        assert intercept == pytest.approx(0, abs=1e-6)
        assert result.after.estimates["auc"].value == pytest.approx(
            result.before.performance.estimates["auc"].value
        )
        assert len(_list(project)) == versions + 1
        assert load_bundle(_find_bundle(project, "small/1")).digest == before.digest
        made = load_bundle(Path(result.bundle))
        lineage = made.manifest.provenance["lineage"]
        assert lineage["parent"] == before.manifest.model
        assert lineage["parent_bundle_sha256"] == before.digest
        assert lineage["test"]["chosen"] == result.update and lineage["was_chosen"]
        assert made.manifest.finding.startswith("Updated:")
        [newest, *_] = _list(project)
        assert newest.tags["updated_from"] == before.manifest.model
        assert newest.tags["update.trial"] == "gamma"

    def test_recalibrated_probabilities_are_slope_and_intercept_of_the_parents(
        self, project, easier, tmp_path
    ) -> None:
        result = update(project, easier, method="intercept-and-slope")
        learnt = result.before.update.logistic
        scores = [
            glabella.score(
                easier, out=tmp_path / f"{at}.csv", model=model, project=project, arm="bont"
            ).frame()["response_probability"]
            for at, model in enumerate(("small/1", result.bundle))
        ]
        odds = [np.log(p / (1 - p)) for p in scores]
        assert odds[1].to_numpy() == pytest.approx(
            (learnt.slope * odds[0] + learnt.intercept).to_numpy(), abs=1e-9
        )

    def test_who_it_has_learnt_from_is_found_again(self, project, easier) -> None:
        result = update(project, easier, method="in-the-large")
        with pytest.raises(DataError, match="were trained on"):
            validate(project, easier, model=result.bundle)

    def test_a_refit_learns_from_both(self, project, easier) -> None:
        shutil.copy(Path(__file__).parents[3] / "features" / "clinical.yaml", project / "features")
        result = update(project, easier, method="refit")
        made = load_bundle(Path(result.bundle)).manifest
        assert made.training["n"] == 120 + result.before.performance.n
        assert {cell["trial"] for cell in made.training["cells"]} == {"alpha", "beta", "gamma"}
        assert made.performance == {}
        scored = glabella.score(
            easier, out=easier.with_name("s.csv"), model=result.bundle, project=project
        )
        assert scored.scored == 120

    def test_a_refit_needs_the_data_of_training(self, project, easier) -> None:
        people = pd.read_csv(project / "participants.csv")
        people.assign(age=people["age"] + 1).to_csv(project / "participants.csv", index=False)
        shutil.copy(Path(__file__).parents[3] / "features" / "clinical.yaml", project / "features")
        with pytest.raises(AnalysisError, match="not those that the model was trained on"):
            update(project, easier, method="refit")
        assert not (project / "mlruns" / "updated").exists()

    def test_where_none_is_needed_nothing_is_written(self, project, tmp_path) -> None:
        for seed in range(70, 80):
            result = update(project, write(tmp_path, make_new_trial(seed), f"t{seed}"))
            if result.update == "none":
                break
        assert result.update == "none" and result.bundle is None and result.model_uri is None
        assert "stays as it is" in result.describe()

    def test_a_trial_that_turns_the_order_is_refused(self, project, tmp_path) -> None:
        table = make_new_trial(31)
        flipped = table.assign(responded=table[OUTCOME].map({"1": "0", "0": "1", "": ""}))
        path = write(tmp_path, flipped)
        with pytest.raises(DataError, match="swapped"):
            update(project, path, method="intercept-and-slope")
        with pytest.raises(AnalysisError, match="would turn the order"):
            update(project, path, method="intercept-and-slope", allow_reversed=True)

    def test_the_gate_asks_for_a_validation_since(self, project, easier) -> None:
        result = update(project, easier, method="in-the-large")
        name = result.model_uri.removeprefix("models:/")
        refused = glabella.promote(name, project=project)
        assert not refused.promoted
        assert refused.criteria[0].name == "validated_since_update"
        kept = glabella.promote(name, project=project, override="Validated in epsilon")
        assert kept.promoted

    def test_an_interrupt_registers_nothing(self, project, easier, monkeypatch) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        versions = len(_list(project))
        monkeypatch.setattr("glabella.pipelines.new_trial.update.register_bundle", interrupt)
        keys = set((project / "mlruns" / "keys").iterdir())
        with pytest.raises(KeyboardInterrupt):
            update(project, easier, method="in-the-large")
        assert len(_list(project)) == versions
        assert list((project / "mlruns" / "updated").iterdir()) == []
        assert set((project / "mlruns" / "keys").iterdir()) == keys


def _list(project: Path) -> list:
    return list_versions_of(open_store(find_project(project), create=False), "small")


def _find_bundle(project: Path, reference: str) -> Path:
    from glabella.tracking.registry import find_registered_bundle

    return find_registered_bundle(reference, project=find_project(project), allow_simulated=False)


@pytest.fixture(scope="module")
def shifted(tmp_path_factory, empty_store) -> tuple[Path, Path]:
    home = tmp_path_factory.mktemp("shifted") / "project"
    root = Path(__file__).parents[3]
    for name in ("features", "models", "pipelines"):
        shutil.copytree(root / name, home / name)
    (home / "mlruns").mkdir()
    shutil.copy(empty_store, home / "mlruns" / "mlflow.db")
    text = (root / "pipelines" / "scenarios" / "shifted.yaml").read_text()
    starts = [at for at in range(len(text)) if text.startswith("  - id:", at)]
    (home / "pipelines" / "scenarios" / "earlier.yaml").write_text(
        text[: starts[-1]] + text[text.index("new_patients:") :]
    )
    analysis = (root / "pipelines" / "predictive.yaml").read_text()
    analysis = analysis.replace("simulate: predictive", "simulate: earlier")
    analysis = analysis.replace("[prevalence, arm_only, severity, ridge, ensemble]", "[ridge]")
    analysis = analysis.replace("  inside: {folds: 5, repeats: 1}\n", "")
    analysis = analysis.replace("features: agitation", "features: clinical")
    analysis = analysis.replace(
        "explanation: {evidence: predictors}", "explanation: {refits: 0, permutations: 0}"
    )
    (home / "pipelines" / "earlier.yaml").write_text(analysis)
    glabella.train("earlier", project=home, workers=1)
    scenario = read_scenario(find_project(home), "shifted").value
    later = simulate_tables(scenario.with_participants(800), seed=9)
    people = later.participants[later.participants["studyid"] == scenario.trials[-1].id]
    visits = later.assessments.astype({"usubjid": object, "paramcd": object})
    wide = visits.pivot(index="usubjid", columns=["paramcd", "week"], values="aval")
    wide = wide.loc[people["usubjid"]]
    table = people.reset_index(drop=True)
    for column in ("depression_total", "frown_max", "frown_rest"):
        table[column] = wide[column][0].to_numpy()
    fall = wide["depression_total"][6] <= wide["depression_total"][0] / 2
    known = wide["depression_total"][6].notna()
    table[OUTCOME] = np.where(known, np.where(fall, "1", "0"), "")
    path = home / "later.csv"
    table.to_csv(path, index=False)
    return home, path


class TestAShiftedTrial:
    """The placebo response rises in a later trial: `shifted`, trained on all but the last."""

    def test_is_found_by_calibration_and_mended_in_the_large(self, shifted) -> None:
        home, path = shifted
        asked = {"outcome": OUTCOME, "arm_column": ARM, "allow_simulated": True, "project": home}
        result = glabella.validate(path, **asked)
        [item] = result.trials
        assert "more responders than predicted" in item.verdict
        assert "SIMULATED DATA" in Path(result.report).read_text()
        updated = glabella.update(path, **asked)
        assert updated.update in ("in the large", "intercept and slope", "refit")
        intercept = updated.before.update.in_the_large.intercept
        assert intercept > 0.2
        made = glabella.update(path, method="in-the-large", model="earlier/1", **asked)
        assert made.after.estimates["observed_expected"].value == pytest.approx(1.0)
        # What learnt from a simulation is never a challenger.
        [newest, *_] = list_versions_of(open_store(find_project(home), create=False), "earlier")
        assert newest.aliases == ("simulated",)

    def test_needs_to_be_stated(self, shifted) -> None:
        home, path = shifted
        with pytest.raises(BundleError, match=r"allow-simulated|champion"):
            glabella.validate(path, outcome=OUTCOME, arm_column=ARM, project=home)
