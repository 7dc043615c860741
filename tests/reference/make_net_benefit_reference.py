"""Computes net benefit by Python's dcurves, which tests/validation compares ours with.

Run in this folder, in an environment of its own that has dcurves (which the project does not):

    python make_net_benefit_reference.py

It reads validation_reference.csv and writes net_benefit_reference.json.
"""

import datetime
import json
import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd

# Some of them are predictions too, so that a tie with the threshold counts.
THRESHOLDS = [0.05, 0.125, 0.2, 0.3, 0.35, 0.425, 0.5, 0.56, 0.65, 0.72, 0.8, 0.9, 0.95]


def main() -> None:
    """Write the file."""
    # Not at the top: the tests' collector reads this module where there is no dcurves.
    import dcurves

    predictions = pd.read_csv("validation_reference.csv")
    active = predictions[(predictions["repetition"] == 0) & (predictions["arm"] == "active")]
    table = dcurves.dca(
        data=active[["responded", "probability"]].reset_index(drop=True),
        outcome="responded",
        modelnames=["probability"],
        thresholds=THRESHOLDS,
    )
    by_rule = table.pivot(index="threshold", columns="model", values="net_benefit")
    content = {
        "made": {
            "date": datetime.date.today().isoformat(),
            "script": "make_net_benefit_reference.py",
            "programs": {
                "Python": platform.python_version(),
                "dcurves": version("dcurves"),
                "pandas": version("pandas"),
            },
        },
        "of": "the active arm of the first repetition",
        "threshold": THRESHOLDS,
        "model": by_rule["probability"].tolist(),
        "treat_all": by_rule["all"].tolist(),
    }
    Path("net_benefit_reference.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
