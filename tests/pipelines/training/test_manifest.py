"""The manifest of a fitted model describes its training participants."""

import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.applicability.judgement import describe_domain
from glabella.definitions.locate import find_project


def test_training_participants_are_in_domain_at_the_stated_rate(small_project, fit_bundle):
    loaded = load_analysis("small", find_project(small_project))
    bundle = fit_bundle(loaded)
    _, inside = describe_domain(loaded.sample.features.frame, bundle.manifest, bundle.domain)
    assert inside.mean() == pytest.approx(0.99, abs=0.02)
