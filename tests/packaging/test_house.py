"""The rooms keep the sizes that the plan of the house sets."""

import runpy

import pytest


@pytest.fixture(scope="module")
def house(checkout):
    return runpy.run_path(str(checkout / "benchmarks" / "house.py"))


@pytest.fixture(scope="module")
def figures(house, checkout):
    return house["measure_house"](checkout)


def test_rooms_and_modules_are_small(figures):
    assert figures["modules in the fullest room"] <= 14
    assert figures["modules over 500 lines"] == 0
    assert figures["median lines of a module"] <= 150


def test_an_extension_touches_few_files(figures):
    assert figures["files that name a measure"] <= 2
    assert figures["files that name a missing-outcome strategy"] <= 2


def test_no_room_has_a_circle(house, checkout):
    for row in house["describe_rooms"](checkout):
        floors = int(row.split()[-2])
        assert 1 <= floors <= 10, row


def test_what_is_measured_is_what_is_there(house, tmp_path):
    room = tmp_path / "src" / "one"
    room.mkdir(parents=True)
    (room / "__init__.py").write_text("")
    (room / "low.py").write_text('def find_it():\n    """Find."""\n    return 1\n')
    (room / "high.py").write_text(
        "from one.low import find_it\n\n\nclass A:\n    @property\n    def noun(self):\n"
        "        return find_it()\n\n    def read(self):\n        return 2\n"
    )
    found = house["measure_house"](tmp_path)
    assert found["modules"] == 2
    assert found["functions"] == 3
    assert found["first words of functions"] == 2
    assert found["lines of docstrings"] == 1
    [row] = house["describe_rooms"](tmp_path)
    assert row.split()[-2:] == ["2", "1"]
