"""One patient's prediction, explained as it would be read aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.arms import choose_arm
from glabella.bundle.forms import TableLayout
from glabella.bundle.ids import find_repeated, read_ids
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.predict import build_scoring_features
from glabella.bundle.reasons import describe_feature_values
from glabella.bundle.rows import PreparedRows, read_baseline, read_scales
from glabella.bundle.tables import make_request, read_whole_table
from glabella.data.reading.raw import ReadOptions
from glabella.definitions.locate import find_project
from glabella.errors import DataError
from glabella.models.estimators.contributions import Contributions
from glabella.reporting.patient import PatientPage, Step, render_patient
from glabella.reporting.write import check_page, write_page
from glabella.tracking.models import find_bundle


@dataclass(frozen=True)
class PatientExplanation:
    """One patient's prediction in steps, and where it was written.

    Parameters
    ----------
    page : PatientPage
        What the page shows.
    output : str
        The file.
    """

    page: PatientPage
    output: str

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values.

        Returns
        -------
        dict
            The page's fields and ``output``.
        """
        return {**self.page.as_json(), "output": self.output}


def explain_patient(
    table: str | Path,
    *,
    row: int,
    out: str | Path,
    model: str | None = None,
    arm: str | None = None,
    allow_simulated: bool = False,
    form: str | None = None,
    read: ReadOptions | Mapping[str, str | None] | None = None,
    project: str | Path | None = None,
) -> PatientExplanation:
    """Write a page that explains one row of a table.

    Parameters
    ----------
    table : str or Path
        As for `score`.
    row : int
        Which row, from 1, the header not counted.
    out : str or Path
        The HTML file to write; must not exist.
    model : str, optional
        As for `score`.
    arm : str, optional
        The arm under which response is predicted; the first active one unless stated.
    allow_simulated : bool
        Allow a model that was trained on simulated data.
    form, read
        As for `score`.
    project : str or Path, optional
        The project.

    Returns
    -------
    PatientExplanation
        What it says, and where.

    Raises
    ------
    BundleError
        If the model is missing, changed, or trained on simulated data without `allow_simulated`.
    DataError
        If the table has no such row, the row is refused, or the page can't be written.
    """
    source, target = Path(table), Path(out)
    check_page(source, target)
    bundle = find_bundle(
        model,
        project=find_project(Path(project) if project is not None else None),
        allow_simulated=allow_simulated,
    )
    raw, found = read_whole_table(source, bundle.manifest, make_request(form, read))
    frame, layout = raw.frame, found.chosen.layout
    if not 1 <= row <= len(frame):
        raise DataError(
            f"the table has {len(frame)} rows, and no row {row}",
            place=source.name,
            remedy="Rows are counted from 1, the header not counted.",
        )
    page = _describe(bundle, frame, layout, arm, row, source.name)
    # It may have been written in the meantime.
    check_page(source, target)
    write_page(target, render_patient(page), what="page")
    return PatientExplanation(page, str(target))


def _build_row(
    bundle: Bundle,
    frame: pd.DataFrame,
    layout: TableLayout,
    arm: str | None,
    row: int,
    source: str,
) -> PreparedRows:
    """Build the features of one row of the whole table, and refuse what a batch refuses."""
    repeated = find_repeated(read_ids(frame, layout.form.list_ids(frame.columns)))
    place = slice(row - 1, row)
    mine = frame.iloc[place].reset_index(drop=True)
    prepared = build_scoring_features(
        bundle, mine, arm=arm, layout=layout, repeated=repeated[place]
    )
    fault = prepared.faults[0]
    if fault is not None:
        raise DataError(f"row {row} is refused: {fault}", place=source, remedy="Mend the row.")
    return prepared


def _describe(
    bundle: Bundle,
    frame: pd.DataFrame,
    layout: TableLayout,
    arm: str | None,
    row: int,
    source: str,
) -> PatientPage:
    manifest, model = bundle.manifest, bundle.model
    features = _build_row(bundle, frame, layout, arm, row, source).features
    under = choose_arm(manifest, arm)
    found = manifest.grouping.sum_values(model.contributions(features))
    steps = _list_steps(
        bundle, features, found, points=_describe_points(manifest, layout, frame.iloc[[row - 1]])
    )
    probabilities = [float(each.predict_proba(features)[0, 1]) for each in bundle.refits]
    notes, inside = describe_domain(features, manifest, bundle.domain)
    labels = {item.name: item.label for item in manifest.arms}
    [alike] = bundle.load_similar_groups().find(features)
    return PatientPage(
        model=manifest.model,
        description=manifest.description,
        origin=manifest.origin,
        endpoint=manifest.endpoint,
        event=manifest.event,
        arm=None if under is None else labels[under],
        probability=float(model.predict_proba(features)[0, 1]),
        low=min(probabilities, default=None),
        high=max(probabilities, default=None),
        base=_to_chance(float(found.base[0]), found.scale),
        refits=len(bundle.refits),
        refitted_to=_describe_samples(manifest),
        scale=found.scale,
        method=manifest.attributions,
        steps=steps,
        alike=tuple(
            f"{labels.get(name, 'All')}: {count.describe()}" if name else count.describe()
            for name, count in alike.counts.items()
        ),
        alike_size=alike.size,
        is_alike_all=alike.is_all,
        is_inside=bool(inside[0]),
        domain_note=notes.words[notes.which[0]],
        finding=manifest.finding,
        intended_use=manifest.intended_use,
        not_for=manifest.not_for,
    )


def _list_steps(
    bundle: Bundle,
    features: pd.DataFrame,
    found: Contributions,
    *,
    points: Mapping[str, str],
) -> tuple[Step, ...]:
    """Go from the base to the prediction feature by feature, the arm first."""
    manifest = bundle.manifest
    grouping, specs = manifest.grouping, manifest.grouping.describe(manifest.feature_specs)
    refits = [grouping.sum_values(each.contributions(features)).values[0] for each in bundle.refits]
    ranges = np.array([np.min(refits, axis=0), np.max(refits, axis=0)]) if refits else None
    # The arm comes first: what is said of the patient is said under it.
    order = sorted(
        range(len(found.features)),
        key=lambda at: (specs[found.features[at]].part == "patient", -abs(found.values[0, at])),
    )
    total = float(found.base[0])
    steps = []
    for at in order:
        spec, effect = specs[found.features[at]], float(found.values[0, at])
        members = [specs[name] for name in grouping.list_members(spec.name)]
        [value] = describe_feature_values(
            members, features, fills_missing=bundle.model.fills_missing
        )[1]
        before, total = total, total + effect
        steps.append(
            Step(
                label=spec.label,
                value=points.get(spec.name, "{}").format(value),
                effect=effect,
                low=None if ranges is None else float(ranges[0, at]),
                high=None if ranges is None else float(ranges[1, at]),
                before=_to_chance(before, found.scale),
                after=_to_chance(total, found.scale),
                is_patient=spec.part == "patient",
                is_beyond_noise=manifest.beyond_noise.get(spec.name),
            )
        )
    return tuple(steps)


def _describe_points(manifest: Manifest, layout: TableLayout, row: pd.DataFrame) -> dict[str, str]:
    """Say totals at baseline as the table gives them, before what the model makes of them."""
    told = {}
    for feature in manifest.feature_set.features:
        variable = manifest.variables[feature.variable]
        if feature.builder == "baseline_score" and variable.type == "score":
            named = read_scales(row, manifest, layout)
            [points] = read_baseline(row, feature.variable, manifest, layout)
            if pd.isna(points):
                continue
            scale = variable.find_scale(None if named is None else str(named.iloc[0]))
            lowest = "" if scale.minimum == 0 else f" from {scale.minimum:g}"
            words = f"{points:g} of {scale.maximum:g} points{lowest} on the {scale.label}"
            told[feature.name] = words if feature.expressed_as == "points" else f"{words}, {{}}"
    return told


def _describe_samples(manifest: Manifest) -> str:
    if len({cell["trial"] for cell in manifest.training["cells"]}) > 1:
        return "samples of the training trials, and of the participants in each"
    return "samples of the training participants"


def _to_chance(total: float, scale: str) -> float:
    return float(expit(total)) if scale == "log odds" else total
