"""Several trials to one pair of tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glabella.data.tables import KEY, PatientTables
from glabella.errors import DataError

_MOST_TRIALS = 5


def pool_trials(parts: Sequence[PatientTables], *, place: str | None = None) -> PatientTables:
    """Stack trials; a participant is identified by trial and id together."""
    origins = {part.origin for part in parts}
    if len(origins) > 1:
        raise DataError("real and simulated trials can't be pooled", place=place)
    participants = pd.concat([part.participants for part in parts], ignore_index=True)
    is_doubled = participants.duplicated(KEY)
    if is_doubled.any():
        trials = list(dict.fromkeys(participants.loc[is_doubled, "studyid"]))
        more = f" and {len(trials) - _MOST_TRIALS} more" if len(trials) > _MOST_TRIALS else ""
        raise DataError(
            f"{int(is_doubled.sum())} participants stand in two sources of the same trial "
            f"({', '.join(trials[:_MOST_TRIALS])}{more})",
            place=place,
            remedy="Give each trial its own `name`.",
        )
    return PatientTables(
        participants=participants,
        assessments=pd.concat([part.assessments for part in parts], ignore_index=True),
        origin=parts[0].origin,
        findings=tuple(finding for part in parts for finding in part.findings),
    )
