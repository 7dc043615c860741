"""Files are whole or not there, and nothing is written through a link or into what is not ours."""

import errno
import os
import stat
from pathlib import Path

import pytest

from glabella import atomic
from glabella.atomic import (
    FolderLock,
    NotOursError,
    describe_os_error,
    find_identity,
    is_partial,
    make_folder,
    name_partial,
    open_new,
    publish,
    write_together,
    write_whole,
)


@pytest.fixture
def theirs(tmp_path):
    """A file that no write may touch."""
    path = tmp_path / "theirs.txt"
    path.write_text("precious")
    return path


def test_what_is_written_is_whole_and_nothing_stays_beside_it(tmp_path):
    write_whole(tmp_path / "page.html", b"old")
    write_whole(tmp_path / "page.html", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_bytes() == b"new"


def test_no_write_goes_through_a_link(tmp_path, theirs):
    for target in (theirs, tmp_path / "nowhere"):
        link = tmp_path / "link"
        link.symlink_to(target)
        with pytest.raises(NotOursError, match="it is a link"):
            write_whole(link, b"new")
        with pytest.raises(FileExistsError):
            open_new(link)
        assert link.is_symlink()
        link.unlink()
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_link_under_the_old_name_of_an_unfinished_file_is_not_followed(tmp_path, theirs):
    link = tmp_path / ".page.html.partial"
    link.symlink_to(theirs)
    write_whole(tmp_path / "page.html", b"new")
    assert theirs.read_text() == "precious"
    assert (tmp_path / "page.html").read_bytes() == b"new"
    assert link.is_symlink()


def test_a_folder_and_a_device_are_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotOursError, match="it is a folder"):
        write_whole(tmp_path / "folder", b"new")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotOursError, match="it is no ordinary file"):
        write_whole(tmp_path / "pipe", b"new")


def test_of_files_that_belong_together_none_is_replaced_where_one_can_not_be(tmp_path, theirs):
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "b.csv").symlink_to(theirs)
    with pytest.raises(NotOursError):
        write_together(tmp_path, {"a.csv": b"new", "b.csv": b"new"})
    assert (tmp_path / "a.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "theirs.txt"]


def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch):
    def interrupt(self, target):
        raise KeyboardInterrupt

    write_whole(tmp_path / "a.csv", b"old")
    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.csv", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"old"


def test_a_private_file_and_a_made_folder_are_their_owners_alone(tmp_path):
    write_whole(tmp_path / "keys.csv", b"who", private=True)
    assert stat.S_IMODE((tmp_path / "keys.csv").stat().st_mode) == 0o600
    assert make_folder(tmp_path / "above" / "folder")
    assert stat.S_IMODE((tmp_path / "above" / "folder").stat().st_mode) == 0o700
    assert not make_folder(tmp_path / "above" / "folder")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no owner to compare here")
def test_a_folder_that_is_a_link_or_anothers_is_not_taken(tmp_path, theirs, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(NotOursError, match="it is a link"):
        make_folder(tmp_path / "link")
    with pytest.raises(NotOursError, match="it is no folder"):
        make_folder(theirs)
    monkeypatch.setattr(os, "geteuid", lambda: (tmp_path / "real").stat().st_uid + 1)
    with pytest.raises(NotOursError, match="it belongs to another user"):
        make_folder(tmp_path / "real")


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_a_finished_file_never_replaces_another(tmp_path, theirs, monkeypatch, has_hard_links):
    def refuse(*args, **kwargs):
        raise OSError(errno.EPERM, "no hard links")

    if not has_hard_links:
        monkeypatch.setattr(os, "link", refuse)
    partial = tmp_path / "partial"
    partial.write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for target in (theirs, tmp_path / "link"):
        with pytest.raises(FileExistsError):
            publish(partial, target)
    publish(partial, tmp_path / "fresh")
    assert (tmp_path / "fresh").read_text() == "mine"
    assert not partial.exists()
    assert theirs.read_text() == "precious"


def test_the_names_of_unfinished_files_can_not_be_guessed_and_fit_a_folder():
    names = {name_partial("ü" * 127) for _ in range(20)}
    assert len(names) == 20
    for name in names:
        assert is_partial(name)
        assert len(name.encode()) < 255
    assert not is_partial(".page.html.partial")


def test_a_lock_empties_nothing_that_a_link_leads_to(tmp_path, theirs):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / atomic.LOCK_FILE).symlink_to(theirs)
    with pytest.raises(NotOursError, match="it is a link"):
        FolderLock(tmp_path / "folder").take()
    assert theirs.read_text() == "precious"


def test_one_process_at_a_time_has_a_folder(tmp_path):
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.take()
    with pytest.raises(BlockingIOError):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_replaced_file_is_another_even_with_the_same_size_and_time(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(1, 1))
    before, whole = find_identity(tmp_path / "a"), find_identity(tmp_path)
    assert find_identity(tmp_path / "a") == before
    (tmp_path / "b").replace(tmp_path / "a")
    assert find_identity(tmp_path / "a") != before
    assert find_identity(tmp_path) != whole
    assert find_identity(tmp_path / "none") != before


def test_what_the_system_refused_is_said_in_its_words(tmp_path):
    assert describe_os_error(OSError(errno.ENOSPC, "x")) == "No space left on device"
    assert describe_os_error(OSError("a library's")) == "the disk did not take it"
    assert describe_os_error(NotOursError("it is a link", tmp_path)) == "it is a link"
