"""Versions are listed by package, and a worker's are compared with those here."""

from importlib.metadata import version

from glabella.cluster import versions
from glabella.cluster.versions import PACKAGES, list_other_versions, list_versions


def test_every_package_is_listed_with_the_version_that_is_installed():
    found = list_versions()
    assert tuple(found) == PACKAGES
    assert found["numpy"] == version("numpy")


def test_a_package_that_is_not_installed_is_missing(monkeypatch):
    monkeypatch.setattr(versions, "PACKAGES", ("numpy", "glabella_of_old"))
    assert list_versions() == {"numpy": version("numpy"), "glabella_of_old": "missing"}


def test_what_a_worker_has_in_another_version_or_not_at_all_is_named():
    here = list_versions()
    assert list_other_versions(here) == []
    there = {**here, "xgboost": "1.0"}
    del there["scipy"]
    assert list_other_versions(there) == [
        f"scipy missing instead of {here['scipy']}",
        f"xgboost 1.0 instead of {here['xgboost']}",
    ]
