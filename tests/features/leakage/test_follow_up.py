"""A feature that says who stayed in the trial is known only later."""

from __future__ import annotations

import numpy as np

from .conftest import NAN, Trial, find, flag, make_trial, refuse


def leave(trial: Trial, seed: int = 12) -> tuple[Trial, np.ndarray]:
    gone = np.random.default_rng(seed).random(trial.n) < 0.25
    trial.scores["total"][8.0] = np.where(gone, NAN, np.nan_to_num(trial.end, nan=20.0))
    return trial, gone


def test_a_flag_of_completers_is_refused() -> None:
    trial, gone = leave(make_trial())
    words = refuse(flag(~gone), trial, kind="category")
    assert words.startswith("it says of each of 120 participants who have an observed endpoint")
    assert "who have an observed" in refuse(gone.astype(float), trial)
    # As ADaM writes flags: Y or nothing.
    assert "have an observed" in refuse(np.where(gone, "Y", None), trial, kind="category")


def test_a_flag_of_who_was_still_followed_at_the_last_visit_is_refused() -> None:
    trial, _ = leave(make_trial())
    trial.scores["total"][16.0] = np.where(np.arange(120) % 4 == 0, NAN, 20.0 + np.arange(120) % 7)
    words = refuse(flag(np.arange(120) % 4 != 0), trial, kind="category")
    assert "who were still followed at week 16" in words


def test_a_reason_for_leaving_is_refused() -> None:
    trial, gone = leave(make_trial())
    reasons = np.where(gone, np.array(["lost", "event", "other"])[np.arange(120) % 3], "completed")
    assert "who have an observed" in refuse(reasons, trial, kind="category")


def test_a_category_that_goes_with_leaving_passes() -> None:
    trial, gone = leave(make_trial())
    draw = np.random.default_rng(13)
    assert find(flag(gone ^ (draw.random(120) < 0.2)), trial, kind="category") is None


def test_a_flag_that_hardly_errs_about_who_stayed_is_warned_of() -> None:
    trial, gone = leave(make_trial(400))
    stopped = gone | (np.arange(400) % 6 == 0)
    found = find(flag(stopped), trial, kind="category")
    assert found is not None and found.severity == "warn"
    assert "it may show who stayed in the trial" in found.finding


def test_a_questionnaire_lacking_in_those_who_were_lost_is_warned_of() -> None:
    trial, gone = leave(make_trial())
    found = find(np.where(gone, NAN, np.random.default_rng(14).normal(size=120)), trial)
    assert found is not None and found.severity == "warn"
    assert found.finding == (
        "it is recorded of just those among 120 participants who have an observed endpoint, or of "
        "just the others"
    )
    sex = np.where(gone, None, flag(np.arange(120) % 3 == 0))
    found = find(sex, trial, kind="category")
    assert found is not None and found.severity == "warn"


def test_fewer_than_a_handful_of_lost_prove_nothing() -> None:
    trial = make_trial()
    end = np.nan_to_num(trial.end, nan=20.0)
    end[:4] = NAN
    trial.scores["total"][8.0] = end
    assert find(flag(np.isnan(end)), trial, kind="category") is None


def test_a_country_of_a_shorter_trial_passes() -> None:
    trial = make_trial(200)
    short = np.arange(200) < 80
    trial.studyid = np.where(short, "S", "L")
    trial.scores["total"][24.0] = np.where(short, NAN, 20.0 + np.arange(200) % 5)
    country = np.where(short, np.where(np.arange(200) % 2, "a", "b"), "c")
    assert find(country, trial, kind="category") is None
