"""The model that a verb uses, found by its folder or its name."""

from pathlib import Path

import pytest

from glabella.bundle.load import is_bundle
from glabella.definitions.locate import find_project
from glabella.errors import BundleError
from glabella.tracking.models import find_bundle


def test_a_folder_and_a_reference_give_the_same_bundle(trained):
    folder, result = trained
    project = find_project(folder)
    assert is_bundle(Path(result.bundle))
    named = find_bundle(result.bundle, project=project, allow_simulated=False)
    registered = find_bundle("small/1", project=project, allow_simulated=False)
    assert named.digest == registered.digest


def test_what_is_neither_is_refused(trained):
    with pytest.raises(BundleError, match="neither a bundle folder nor registered"):
        find_bundle("absent", project=find_project(trained[0]), allow_simulated=False)
