"""Published tables between scales: only plausible entries convert, and nothing is made up."""

import pytest

from glabella.domain.crosswalks import CROSSWALKS, Crosswalk, find_crosswalk
from glabella.domain.scales import find_scale
from glabella.errors import DefinitionError


@pytest.mark.parametrize(
    ("source", "target", "total", "expected"),
    [
        ("qids_sr16", "hamd17", 0, 0),
        ("qids_sr16", "hamd17", 11, 14.5),
        ("qids_sr16", "hamd17", 27, 44),
        ("qids_sr16", "hamd21", 14, 20.5),
        ("qids_sr16", "hamd24", 21, 36.5),
        ("hamd17", "madrs", 10, 13),
        ("hamd17", "madrs", 15, 19.5),
        ("hamd17", "bdi_ii", 25, 41),
        ("madrs", "hamd17", 19.5, 15),
        ("hamd17", "qids_sr16", 15, 11),
        ("hamd17", "qids_sr16", 1, 1),
    ],
)
def test_totals_are_converted_as_printed(source, target, total, expected):
    assert find_crosswalk(source, target).convert(total) == expected


@pytest.mark.parametrize(
    ("source", "target", "total"),
    [
        ("qids_sr16", "hamd17", 15),
        ("qids_sr16", "hamd17", 11.5),
        ("hamd17", "madrs", 9),
        ("hamd17", "madrs", 41),
        ("madrs", "hamd17", 12.9),
    ],
)
def test_what_has_no_plausible_entry_is_not_converted(source, target, total):
    assert find_crosswalk(source, target).convert(total) is None


def test_the_one_misprint_of_the_published_tables_is_found():
    implausible = {(w.source_scale, w.target_scale): w.implausible for w in CROSSWALKS}
    assert {pair: totals for pair, totals in implausible.items() if totals} == {
        ("qids_sr16", "hamd17"): (15.0,)
    }


@pytest.mark.parametrize(
    "row", [(2.0, 53.0, 60.0), (2.0, 5.0, 4.0), (2.0, 1.0, 2.0), (28.0, 40.0, 41.0)]
)
def test_an_entry_outside_the_scales_or_out_of_order_is_implausible(row):
    walk = Crosswalk("qids_sr16", "hamd17", "made up", ((1.0, 1.0, 2.0), row))
    assert walk.implausible == (row[0],)


@pytest.mark.parametrize("walk", CROSSWALKS, ids=lambda w: f"{w.source_scale}-{w.target_scale}")
def test_every_table_names_its_source_and_rises_within_its_scales(walk):
    assert len(walk.citation) > 20
    target = find_scale(walk.target_scale)
    converted = [walk.convert(row[0]) for row in walk.rows if row[0] not in walk.implausible]
    assert converted == sorted(converted)
    assert target.minimum <= converted[0]
    assert converted[-1] <= target.maximum


def test_scales_that_no_table_links_are_refused():
    with pytest.raises(DefinitionError, match="no published table links the scales 'twstrs'"):
        find_crosswalk("twstrs", "madrs")
