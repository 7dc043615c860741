"""A later visit can't enter as a baseline variable, whatever its name."""

import pytest

import glabella
from glabella.errors import ClockError, DefinitionError


def rewrite(project, old, new):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def make_wide(project):
    """Turn the small analysis into one of a wide file that holds week 6 beside the baseline."""
    path = project / "pipelines" / "small.yaml"
    head, rest = path.read_text().split("      assessments:\n")
    tail = "arms:" + rest.split("arms:", 1)[1]
    wide = (
        "      assessments:\n"
        "        - file: participants.csv\n          id: usubjid\n          trial: studyid\n"
        "          variable: depression_total\n          weeks: {before: 0, after: 6}\n"
    )
    path.write_text(head + wide + tail)


def test_a_column_of_week_6_mapped_to_a_baseline_variable_is_refused(small_project):
    make_wide(small_project)
    rewrite(small_project, "age_years: age,", "age_years: after,")
    with pytest.raises(ClockError) as caught:
        glabella.check("small", project=small_project)
    assert str(caught.value) == (
        "pipelines/small.yaml:14: the column 'after' of participants.csv is 'age_years', known at "
        "baseline, and 'depression_total' of week 6, known only at week 6\n"
        "  A column has one meaning: name the right one in each place."
    )


def test_the_outcomes_own_column_mapped_to_a_baseline_variable_is_refused(small_project):
    dictionary = small_project / "features" / "dictionary.yaml"
    dictionary.write_text(
        dictionary.read_text()
        + "  outcome: {label: O, type: category, codes: {a: A, b: B}, timing: week 6}\n"
    )
    rewrite(small_project, "age_years: age,", "age_years: age, outcome: ad,")
    with pytest.raises(ClockError, match="is 'antidepressant', known at baseline, and"):
        glabella.check("small", project=small_project)


def test_a_baseline_that_is_also_a_variable_known_at_baseline_is_no_contradiction(small_project):
    make_wide(small_project)
    rewrite(small_project, "age_years: age,", "age_years: before,")
    with pytest.raises(DefinitionError, match="has no column 'before'"):
        glabella.check("small", project=small_project)


def test_a_file_whose_name_is_no_name_is_refused_before_anything_runs(small_project):
    text = (small_project / "pipelines" / "small.yaml").read_text()
    (small_project / "pipelines" / "a:b.yaml").write_text(text)
    with pytest.raises(DefinitionError, match="can't be the name of the analysis"):
        glabella.check("a:b", project=small_project)
