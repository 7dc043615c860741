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
        The highest grade of each item, each from 0; empty where items are not modelled.
    remission_at_most : float, optional
        The highest total that counts as remission; None where the scale has no cut.
    """

    name: str
    label: str
    minimum: float
    maximum: float
    rater: str
    item_maxima: tuple[int, ...] = ()
    remission_at_most: float | None = None

    def percent_of_range(self, total: float) -> float:
        """Place a total between the scale's ends.

        Parameters
        ----------
        total : float
            A total in the scale's points.

        Returns
        -------
        float
            0 at the minimum, 100 at the maximum.
        """
        return 100.0 * (total - self.minimum) / (self.maximum - self.minimum)


# Nine items of 0-4 and eight of 0-2 make the 52 points of the 17-item Hamilton scale; the items
# 18 to 21 add 12 to make the 64 of the 21-item form (IDS/QIDS conversion table, ids-qids.org).
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
        ),
        Scale(
            name="hamd21",
            label="Hamilton Depression Rating Scale, 21 items",
            minimum=0,
            maximum=64,
            rater="clinician",
            item_maxima=(*_HAMD17_ITEMS, 2, 4, 4, 2),
            remission_at_most=7,
        ),
        Scale(
            name="madrs",
            label="Montgomery-Asberg Depression Rating Scale",
            minimum=0,
            maximum=60,
            rater="clinician",
            item_maxima=(6,) * 10,
            remission_at_most=10,
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

    Parameters
    ----------
    name : str
        A name in `SCALES`.

    Returns
    -------
    Scale
        The scale.

    Raises
    ------
    DefinitionError
        If no scale has this name.

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
