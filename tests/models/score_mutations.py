"""Restores and asks mutated models, one a line of a file; run as a process that may be ended."""

import base64
import json
import resource
import sys
from pathlib import Path

import numpy as np

from glabella.errors import BundleError
from glabella.models.build import restore_model


def judge(files, table) -> str:
    """Say what became of a model: refused, sound, or which of its numbers is not finite."""
    try:
        model = restore_model(files, table.specs)
    except BundleError:
        return "refused"
    with np.errstate(all="ignore"):
        found = {
            "log odds": model.log_odds(table.frame),
            "contributions": model.contributions(table.frame).values,
            "interactions": model.interactions(table.frame).values,
        }
    wrong = [name for name, values in found.items() if not np.isfinite(values).all()]
    return ", ".join(wrong) or "sound"


if __name__ == "__main__":
    # Only a script finds its neighbours by name.
    from conftest import make_sample

    table, _ = make_sample(0, 12)
    for line in Path(sys.argv[1]).read_text().splitlines():
        files = {name: base64.b64decode(part) for name, part in json.loads(line).items()}
        sys.stdout.write(f"{judge(files, table)}\n")
        sys.stdout.flush()
    # In kilobytes, as Linux counts it.
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\n")
