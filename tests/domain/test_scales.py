import pytest

from glabella.domain.scales import SCALES, find_scale
from glabella.errors import DefinitionError


@pytest.mark.parametrize(
    ("name", "maximum", "items"),
    [("hamd17", 52, 17), ("hamd21", 64, 21), ("madrs", 60, 10), ("twstrs", 85, 0)],
)
def test_a_scale_has_its_published_range_and_number_of_items(
    name: str, maximum: float, items: int
) -> None:
    scale = find_scale(name)
    assert (scale.name, scale.minimum, scale.maximum) == (name, 0, maximum)
    assert len(scale.item_maxima) == items


@pytest.mark.parametrize("name", [name for name, scale in SCALES.items() if scale.item_maxima])
def test_the_items_of_a_scale_add_up_to_its_maximum(name: str) -> None:
    assert sum(SCALES[name].item_maxima) == SCALES[name].maximum


def test_the_17_item_form_is_the_beginning_of_the_21_item_form() -> None:
    assert SCALES["hamd21"].item_maxima[:17] == SCALES["hamd17"].item_maxima


@pytest.mark.parametrize("name", SCALES)
def test_percent_of_range_runs_from_0_to_100(name: str) -> None:
    scale = SCALES[name]
    assert scale.to_percent_of_range(scale.minimum) == 0
    assert scale.to_percent_of_range(scale.maximum) == 100


def test_percent_of_range_by_hand() -> None:
    assert find_scale("hamd17").to_percent_of_range(26) == 50
    assert find_scale("madrs").to_percent_of_range(15) == 25


def test_a_cut_for_remission_lies_inside_the_range() -> None:
    cuts = {name: s.remission_at_most for name, s in SCALES.items() if s.remission_at_most}
    assert cuts == {"hamd17": 7, "hamd21": 7, "madrs": 10, "qids_sr16": 5}


@pytest.mark.parametrize("name", [name for name, scale in SCALES.items() if scale.bands_from])
def test_bands_rise_within_the_range_and_have_a_source(name: str) -> None:
    scale = SCALES[name]
    assert scale.minimum < scale.bands_from[0] < scale.bands_from[1] < scale.bands_from[2]
    assert scale.bands_from[2] < scale.maximum
    assert scale.bands_source
    edges = [scale.find_severity_band(cut - step) for cut in scale.bands_from for step in (1, 0)]
    assert edges == [0, 1, 1, 2, 2, 3]


def test_a_scale_without_published_bands_has_none() -> None:
    with pytest.raises(ValueError, match="no bands are published"):
        SCALES["twstrs"].find_severity_band(30)


def test_a_misspelt_scale_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(DefinitionError) as caught:
        find_scale("mards")
    assert str(caught.value) == (
        "there is no scale 'mards'\n"
        "  Did you mean 'madrs'? There are: adas_cog11, bdi, bdi_ii, hamd17, hamd21, hamd24, "
        "madrs, phq9, qids_sr16, twstrs."
    )
