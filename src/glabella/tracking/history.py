"""How many trainings were made on the same outcome and data, and what changed since the first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from glabella.tracking.runs import ANALYSIS_TAG
from glabella.tracking.store import load_mlflow

DATA_TAG = "data_sha256"
OUTCOME_TAG = "outcome_sha256"
DEFINITIONS_TAG = "definitions"
# MLflow's largest page; further trainings are not counted.
_PAGE = 5000
# Enough digits of a SHA-256 to distinguish the versions of a file.
_DIGITS = 12


@dataclass(frozen=True)
class History:
    """The number of a training among those on the same outcome and data.

    Parameters
    ----------
    number : int
        1 for the first that finished.
    first_run : str or None
        The run of the first; None if this is the first.
    changed : tuple of str
        Definitions that were changed, added or removed since the first training.
    """

    number: int
    first_run: str | None = None
    changed: tuple[str, ...] = ()

    def describe(self) -> str:
        """Describe the number, and its consequence if this is not the first training."""
        if self.first_run is None:
            return "This is the first finished training on this outcome and these data."
        what = f"{', '.join(self.changed)} changed" if self.changed else "no definition changed"
        return (
            f"This is finished training number {self.number} on this outcome and these data; since "
            f"the first, {what}. Performance is overestimated if a definition was chosen after the "
            "results of others were seen."
        )

    def as_json(self) -> dict[str, Any]:
        """Convert to plain values."""
        return {**asdict(self), "changed": list(self.changed), "words": self.describe()}


def write_definitions_tag(hashes: Mapping[str, str]) -> str:
    """Write the hashes of definitions as a tag."""
    return json.dumps({name: digest[:_DIGITS] for name, digest in sorted(hashes.items())})


def find_history(tags: Mapping[str, str]) -> History:
    """Find the trainings of any analysis in the open store on the same outcome and data."""
    client = load_mlflow().MlflowClient()
    found = client.search_runs(
        [experiment.experiment_id for experiment in client.search_experiments()],
        filter_string=(
            f"tags.`{ANALYSIS_TAG}` != '' and tags.`{DATA_TAG}` = '{tags[DATA_TAG]}' and "
            f"tags.`{OUTCOME_TAG}` = '{tags[OUTCOME_TAG]}' and attributes.status = 'FINISHED'"
        ),
        order_by=["attributes.start_time ASC"],
        max_results=_PAGE,
    )
    if not found:
        return History(1)
    first = found[0]
    before = json.loads(first.data.tags.get(DEFINITIONS_TAG, "{}"))
    now = json.loads(tags[DEFINITIONS_TAG])
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return History(len(found) + 1, str(first.info.run_id), tuple(changed))
