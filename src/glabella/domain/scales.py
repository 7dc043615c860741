"""Rating scales: their range, rater, items and cut for remission."""

from __future__ import annotations

from dataclasses import dataclass

from glabella.errors import DefinitionError, describe_choices


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A rating scale on which a higher total is worse.

    Parameters
    ----------
    name : str
        The name that definitions and data use.
    label : str
        The name that readers see.
    minimum, maximum : float
        The range of the total.
    rater : str
        ``clinician`` or ``self``.
    item_maxima : tuple of int
        The highest grade of each item, each from 0; empty if items are not modelled.
    remission_at_most : float, optional
        The highest total that counts as remission; None if the scale has no cut.
    bands_from : tuple of float
        The lowest totals of mild, moderate and severe; empty if no bands are published.
    bands_source : str
        Where the bands were published.
    """

    name: str
    label: str
    minimum: float
    maximum: float
    rater: str
    item_maxima: tuple[int, ...] = ()
    remission_at_most: float | None = None
    bands_from: tuple[float, ...] = ()
    bands_source: str = ""

    @property
    def width(self) -> float:
        """The points from the minimum to the maximum."""
        return self.maximum - self.minimum

    def find_severity_band(self, total: float) -> int:
        """Place a total in a band of severity.

        Returns
        -------
        int
            0 none, 1 mild, 2 moderate, 3 severe (including the very severe of some scales).
        """
        if not self.bands_from:
            raise ValueError(f"no bands are published for {self.label}")
        return sum(total >= lowest for lowest in self.bands_from)

    def to_percent_of_range(self, total: float) -> float:
        """Place a total between the scale's ends."""
        return 100.0 * (total - self.minimum) / self.width


# Nine items of 0-4 and eight of 0-2 make the 52 points of the 17-item Hamilton scale; the items
# 18 to 21 add 12 to make the 64 of the 21-item form (IDS/QIDS conversion table, ids-qids.org).
_KEARNS = "Kearns 1982 and scale manuals, as tabled in PMC3436964"
_HAMD17_ITEMS = (4, 4, 4, 2, 2, 2, 4, 4, 4, 4, 4, 2, 2, 2, 4, 2, 2)

SCALES: dict[str, Scale] = {
    scale.name: scale
    for scale in (
        Scale(
            name="hamd17",
            label="Hamilton Depression Rating Scale, 17 items",
            minimum=0,
            maximum=52,
            rater="clinician",
            item_maxima=_HAMD17_ITEMS,
            remission_at_most=7,
            bands_from=(8, 14, 19),
            bands_source=_KEARNS,
        ),
        Scale(
            name="hamd21",
            label="Hamilton Depression Rating Scale, 21 items",
            minimum=0,
            maximum=64,
            rater="clinician",
            item_maxima=(*_HAMD17_ITEMS, 2, 4, 4, 2),
            remission_at_most=7,
            bands_from=(8, 17, 24),
            bands_source="ClinicalTrials.gov NCT01392963",
        ),
        Scale(
            name="hamd24",
            label="Hamilton Depression Rating Scale, 24 items",
            minimum=0,
            maximum=75,
            rater="clinician",
        ),
        Scale(
            name="madrs",
            label="Montgomery-Asberg Depression Rating Scale",
            minimum=0,
            maximum=60,
            rater="clinician",
            item_maxima=(6,) * 10,
            remission_at_most=10,
            bands_from=(8, 16, 26),
            bands_source=_KEARNS,
        ),
        Scale(
            name="bdi",
            label="Beck Depression Inventory",
            minimum=0,
            maximum=63,
            rater="self",
            bands_from=(10, 17, 30),
            bands_source=_KEARNS,
        ),
        Scale(
            name="bdi_ii",
            label="Beck Depression Inventory II",
            minimum=0,
            maximum=63,
            rater="self",
            bands_from=(14, 20, 29),
            bands_source="Beck, Steer and Brown 1996, manual of the BDI-II",
        ),
        Scale(
            name="phq9",
            label="Patient Health Questionnaire, 9 items",
            minimum=0,
            maximum=27,
            rater="self",
            bands_from=(5, 10, 15),
            bands_source="Kroenke K et al. The PHQ-9. J Gen Intern Med 2001;16:606-613",
        ),
        Scale(
            name="qids_sr16",
            label="Quick Inventory of Depressive Symptomatology, self-report, 16 items",
            minimum=0,
            maximum=27,
            rater="self",
            remission_at_most=5,
            bands_from=(6, 11, 16),
            bands_source="ids-qids.org/interpretation.html",
        ),
        Scale(
            name="adas_cog11",
            label="Alzheimer's Disease Assessment Scale, cognitive part, 11 items",
            minimum=0,
            maximum=70,
            rater="clinician",
        ),
        Scale(
            name="twstrs",
            label="Toronto Western Spasmodic Torticollis Rating Scale",
            minimum=0,
            maximum=85,
            rater="clinician",
        ),
    )
}


def find_scale(name: str) -> Scale:
    """Look a scale up by its name.

    Examples
    --------
    >>> find_scale("madrs").maximum
    60
    """
    try:
        return SCALES[name]
    except KeyError:
        raise DefinitionError(
            f"there is no scale '{name}'", remedy=describe_choices(name, SCALES)
        ) from None
