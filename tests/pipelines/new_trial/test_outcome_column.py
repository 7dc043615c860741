"""An outcome column is never read the wrong way round."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import glabella
from glabella.bundle.forms import TableForm, TableLayout
from glabella.bundle.manifest import FlagOutcome
from glabella.data.dictionary import Variable
from glabella.data.mapping.sources import VariableColumn
from glabella.errors import DataError
from glabella.pipelines.new_trial.outcome_column import OutcomeColumn, check_swapped, read_outcome

PRETERM = Variable(label="Preterm", type="category", codes={"0": "at term", "1": "preterm"})
FLAG = FlagOutcome(name="preterm", variable=PRETERM, code="0", missing_is_no_response=False)


def read(cells, name="x", *, event=None, labels=None, flag=None, outcome=None):
    form = TableForm(name="alpha", columns={}, visits=(), ids=("id",), outcome=outcome)
    layout = TableLayout(form, {name: labels} if labels else {})
    frame = pd.DataFrame({name: cells})
    asked, manifest = OutcomeColumn(name, event), SimpleNamespace(outcome=flag)
    return read_outcome(frame, asked, [layout], manifest, place="t.csv").tolist()


class TestTheEndpointsOwnColumn:
    def test_it_is_decoded_by_the_endpoint(self):
        assert read([0, 1, 0], "preterm", flag=FLAG) == [1, 0, 1]
        assert read(["0.0", "1.0"], "preterm", flag=FLAG) == [1, 0]
        assert np.isnan(read([None, 1], "preterm", flag=FLAG)[0])

    def test_it_follows_the_sources_name_codes_and_labels(self):
        own = VariableColumn(column="early", codes={"ja": "1", "nein": "0"})
        assert read(["ja", "nein"], "early", flag=FLAG, outcome=own) == [0, 1]
        labels = {"5": "preterm", "6": "At term"}
        assert read([5.0, 6.0], "preterm", flag=FLAG, labels=labels) == [0, 1]

    def test_labels_that_contradict_it_refuse(self):
        with pytest.raises(DataError, match="2 values of 'preterm': by the file's label"):
            read([0, 1], "preterm", flag=FLAG, labels={"0": "preterm", "1": "at term"})

    def test_other_values_and_another_event_refuse(self):
        with pytest.raises(DataError, match="1 values of 'preterm': each is not one of the codes"):
            read([0, 1, 2], "preterm", flag=FLAG)
        with pytest.raises(DataError, match="in which '0' of the dictionary counts"):
            read([0, 1], "preterm", flag=FLAG, event="1")
        assert read([0, 1], "preterm", flag=FLAG, event="0") == [1, 0]

    def test_a_missing_value_counts_as_the_endpoint_says(self):
        strict = FLAG.model_copy(update={"missing_is_no_response": True})
        assert read([None, "0"], "preterm", flag=strict) == [0, 1]


class TestAnotherColumn:
    @pytest.mark.parametrize("cells", [[1, 0], ["yes", "no"], [True, False], ["1.0", "0.0"]])
    def test_it_must_say_what_it_means(self, cells):
        with pytest.raises(DataError, match="nothing says which value of 'relapse' means response"):
            read(cells, "relapse")
        assert read(cells, "responded") == [1, 0]

    def test_words_for_response_need_no_name(self):
        assert read(["Responder", "non-responder", ""], "x")[:2] == [1, 0]

    def test_labels_decide_even_in_a_column_called_responded(self):
        labels = {"0": "responder", "1": "non-responder"}
        assert read([0.0, 1.0], "responded", labels=labels) == [1, 0]
        assert read([0.0, 1.0], "relapse", labels=labels) == [1, 0]

    def test_labels_that_say_nothing_known_refuse(self):
        with pytest.raises(DataError, match="nothing says which value of 'responded'"):
            read([0.0, 1.0], "responded", labels={"0": "besser", "1": "schlechter"})

    def test_an_event_may_be_a_code_or_a_label(self):
        labels = {"1": "relapse", "2": "stable"}
        assert read([1.0, 2.0], "x", event="2", labels=labels) == [0, 1]
        assert read([1.0, 2.0], "x", event="Stable", labels=labels) == [0, 1]
        assert read(["2.0", "1.0", ""], "x", event="2")[:2] == [1, 0]

    def test_an_event_that_never_occurs_or_has_several_others_is_refused(self):
        with pytest.raises(DataError, match="no value of 'x' is what --event states"):
            read([1, 2], "x", event="3")
        with pytest.raises(DataError, match="'x' holds 2 values beside the one"):
            read([1, 2, 9], "x", event="1")

    def test_an_event_against_the_files_own_words_is_refused(self):
        labels = {"1": "Non-responder", "2": "Responder"}
        with pytest.raises(DataError, match="say the opposite of --event"):
            read([1.0, 2.0], "x", event="1", labels=labels)
        assert read([1.0, 2.0], "x", event="2", labels=labels) == [0, 1]

    @pytest.mark.parametrize("event", ["True", "true", "1"])
    def test_a_truth_value_may_be_written_as_a_word_or_a_number(self, event):
        assert read([True, False], "x", event=event) == [1, 0]

    def test_capitals_do_not_matter(self):
        assert read(["Ja", "Nein"], "x", event="ja") == [1, 0]

    def test_a_feature_or_an_identifier_is_no_outcome(self):
        with pytest.raises(DataError, match="'id' holds a feature of the model or an identifier"):
            read([1, 0], "id", event="1")


class TestSeveralForms:
    def decode(self, one, other, name="out"):
        forms = [
            TableForm(name=each, columns={}, visits=(), ids=("id",), outcome=outcome)
            for each, outcome in (("alpha", one), ("beta", other))
        ]
        frame = pd.DataFrame({"out": [1, 2, 9], "pe": [0, 0, 1]})
        return read_outcome(
            frame,
            OutcomeColumn(name),
            [TableLayout(form) for form in forms],
            SimpleNamespace(outcome=FLAG),
            place="t.csv",
        ).tolist()

    def test_that_decode_otherwise_are_not_guessed(self):
        one = VariableColumn(column="out", codes={"1": "1", "2": "0", "9": ""})
        other = VariableColumn(column="out", codes={"1": "0", "2": "1", "9": ""})
        with pytest.raises(DataError, match=r"means one thing .*\n.*--form alpha or --form beta"):
            self.decode(one, other)

    @pytest.mark.parametrize("name", ["out", "preterm", None])
    def test_the_one_that_can_read_the_column_does(self, name):
        one = VariableColumn(column="out", codes={"1": "1", "2": "0"})
        other = VariableColumn(column="out", codes={"1": "1", "2": "0", "9": ""})
        found = self.decode(one, other, name)
        assert found[:2] == [0, 1]
        assert np.isnan(found[2])

    def test_the_column_that_is_named_belongs_to_its_form(self):
        one, other = VariableColumn(column="out", codes={"1": "1"}), VariableColumn(column="pe")
        assert self.decode(one, other, "pe") == [1, 1, 0]


class TestSwappedClasses:
    def test_an_outcome_that_fits_much_better_swapped_stops(self):
        draw = np.random.default_rng(4)
        log_odds = draw.normal(1.5, 1.0, 80)
        responded = (draw.random(80) < 1 / (1 + np.exp(-log_odds))).astype(float)
        check_swapped(log_odds, responded, "t.csv")
        with pytest.raises(DataError, match=r"(?s)swapped.*--allow-reversed"):
            check_swapped(log_odds, 1 - responded, "t.csv")
        check_swapped(log_odds, 1 - responded, "t.csv", may_be_reversed=True)

    def test_a_model_that_is_only_poor_in_a_trial_goes_on(self):
        draw = np.random.default_rng(5)
        # As many respond as 45 in 100 where 55 were foreseen, and nothing tells them apart.
        log_odds = draw.normal(0.2, 0.3, 500)
        check_swapped(log_odds, (draw.random(500) < 0.45).astype(float), "t.csv")


ANALYSIS = """\
kind: analysis
description: Who gives birth at term
dictionary: dictionary_birth
seed: 3
data:
  trials:
    - name: alpha
      participants:
        file: alpha.csv
        id: id
        arm: rx
        variables: {age_years: age, preterm: early}
arms:
  - {name: drug, label: Drug, role: active}
  - {name: placebo, label: Placebo, role: control}
endpoint: {rule: flag, of: preterm, code: "0", missing: observed_only}
features: birth
models: [prevalence, ridge]
validation:
  pooled: {folds: 2, repeats: 1}
  inner_folds: 2
explanation: {refits: 0, permutations: 0}
"""
DICTIONARY = """\
kind: dictionary
description: Invented
variables:
  age_years: {label: Age, type: number, unit: years, range: [15, 50]}
  preterm: {label: Preterm birth, type: category, codes: {"0": at term, "1": preterm}, timing: end}
"""
FEATURES = """\
kind: feature_set
description: Invented
predict_at: baseline
features: [{name: age_years}]
"""


def make_births(seed: int, n: int = 120) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 45, n)
    early = (draw.random(n) < np.where(age > 35, 0.5, 0.1)).astype(int)
    return pd.DataFrame(
        {"id": [f"{seed}-{at}" for at in range(n)], "rx": np.tile(["drug", "placebo"], n // 2),
         "age": age, "early": early}
    )  # fmt: skip


@pytest.fixture(scope="module")
def births(tmp_path_factory, checkout, empty_store) -> SimpleNamespace:
    import shutil

    project = tmp_path_factory.mktemp("births") / "project"
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, project / name)
    (project / "features" / "dictionary_birth.yaml").write_text(DICTIONARY)
    (project / "features" / "birth.yaml").write_text(FEATURES)
    (project / "pipelines" / "births.yaml").write_text(ANALYSIS)
    (project / "mlruns").mkdir()
    shutil.copy(empty_store, project / "mlruns" / "mlflow.db")
    make_births(1).to_csv(project / "alpha.csv", index=False)
    result = glabella.train("births", project=project, workers=1)
    return SimpleNamespace(project=project, bundle=result.bundle)


@pytest.mark.parametrize("verb", ["validate", "update"])
@pytest.mark.parametrize("name", ["early", "preterm"])
def test_a_flag_whose_zero_counts_is_not_reversed(births, tmp_path, verb, name):
    new = make_births(2)
    path = tmp_path / "new.csv"
    new.rename(columns={"early": name}).to_csv(path, index=False)
    more = {"method": "in-the-large"} if verb == "update" else {}
    result = getattr(glabella, verb)(
        path, outcome=name, model=births.bundle, project=births.project, **more
    )
    item = result.trials[0] if verb == "validate" else result.before
    assert item.performance.events == (new["early"] == 0).sum()
    assert item.trial.probability.mean() > 0.6
    if verb == "update":
        scored = glabella.score(
            births.project / "alpha.csv", out=tmp_path / "s.csv", model=result.bundle
        ).frame()
        assert scored["response_probability"].mean() > 0.6


def test_a_column_of_another_name_is_asked_about_and_stopped_if_reversed(births, tmp_path):
    path = tmp_path / "new.csv"
    make_births(2).rename(columns={"early": "prem"}).to_csv(path, index=False)
    asked = {"outcome": "prem", "model": births.bundle, "project": births.project}
    with pytest.raises(DataError, match="nothing says which value of 'prem' means response"):
        glabella.validate(path, **asked)
    with pytest.raises(DataError, match="with response and no response swapped"):
        glabella.validate(path, event="1", **asked)
    good = glabella.validate(path, event="0", **asked)
    assert good.trials[0].performance.events > 60


def test_value_labels_that_turn_the_codes_give_the_same_figures(births, tmp_path):
    new = make_births(2).assign(age=lambda t: t["age"].astype(float))
    found = []
    for name, code in (("plain", {0: 0.0, 1: 1.0}), ("turned", {0: 1.0, 1: 0.0})):
        table = new.assign(outcome=new["early"].map(code)).drop(columns="early")
        labels = {"outcome": {code[0]: "Responder", code[1]: "Non-responder"}}
        path = tmp_path / f"{name}.sav"
        pyreadstat.write_sav(table, str(path), variable_value_labels=labels)
        result = glabella.validate(
            path, outcome="outcome", model=births.bundle, project=births.project
        )
        found.append((result.trials[0].performance.events, result.trials[0].performance.n))
    assert found[0] == found[1] == ((new["early"] == 0).sum(), len(new))
