"""New trials as an analysis describes them: mapped, with arms, endpoint and missing scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import SpecEntry
from glabella.definitions.locate import Project
from glabella.errors import AnalysisError
from glabella.features.spec import FeatureTable
from glabella.pipelines.new_trial.outcome_column import check_swapped
from glabella.pipelines.new_trial.overlap import check_overlap, find_overlap
from glabella.pipelines.new_trial.read_table import (
    NewTrial,
    NewTrialOptions,
    check_few,
    describe_drift,
)


def read_mapped_trials(
    reference: str,
    bundle: Bundle,
    *,
    project: Project,
    options: NewTrialOptions,
) -> Iterator[NewTrial]:
    """Read the trials of an analysis, and predict their participants by a model of another."""
    loaded = load_analysis(reference, project, data=options.data)
    _compare(loaded, bundle)
    sample, people = loaded.sample, loaded.tables.participants.iloc[loaded.kept]
    frame = _remove_trials(sample.features.frame, bundle)
    for name in dict.fromkeys(sample.trial.tolist()):
        rows = np.flatnonzero(sample.trial == name)
        who = "person" if "person" in people else "usubjid"
        ids = [people[column].iloc[rows].astype(str) for column in ("studyid", who)]
        overlap = find_overlap(ids, bundle.manifest, project)
        check_overlap(overlap, str(name), may_overlap=options.allow_overlap)
        for outcomes in sample.outcomes:
            check_few(outcomes[rows], str(name))
        mine = frame.iloc[rows].reset_index(drop=True)
        log_odds = bundle.model.log_odds(mine)
        check_swapped(
            log_odds,
            sample.outcomes[:, rows].mean(axis=0),
            str(name),
            may_be_reversed=options.allow_reversed,
        )
        _, inside = describe_domain(mine, bundle.manifest, bundle.domain)
        in_trial = (loaded.tables.participants["studyid"].astype(str) == name).to_numpy()
        yield NewTrial(
            name=str(name),
            sample=replace(
                sample,
                features=FeatureTable(mine, bundle.manifest.feature_specs),
                outcomes=sample.outcomes[:, rows],
                imputation=None,
                trial=sample.trial[rows],
                site=sample.site[rows],
                cohort=sample.cohort[rows],
                arm=sample.arm[rows],
                active=sample.active[rows],
                person=None if sample.person is None else sample.person[rows],
                margin=None,
                background=None,
            ),
            log_odds=log_odds,
            rows=int(in_trial.sum()),
            refused_by_reason={},
            without_outcome=int(in_trial.sum()) - len(rows),
            out_of_domain=int((~inside).sum()),
            drift=describe_drift(mine, bundle.manifest),
            overlap=overlap.same,
            table_sha256=loaded.data_hash,
            people=people[["studyid", "usubjid"]].iloc[rows].astype(str).reset_index(drop=True),
        )


def _compare(loaded: LoadedAnalysis, bundle: Bundle) -> None:
    """Refuse another question than the model's."""
    manifest, resolved = bundle.manifest, loaded.resolved
    place = resolved.analysis.origin.name
    if loaded.endpoint.describe() != manifest.endpoint:
        raise AnalysisError(
            f"its endpoint is not the model's: {manifest.endpoint}",
            place=place,
            remedy="A model is validated for what it predicts: write the same `endpoint:`.",
        )
    asked = [SpecEntry(**vars(spec)) for spec in loaded.sample.features.specs]
    for entry in manifest.specs:
        if entry.part == "trial":
            continue
        mine = next((item for item in asked if item.name == entry.name), None)
        if mine is None or (mine.kind, mine.levels, mine.unit) != (
            entry.kind,
            entry.levels,
            entry.unit,
        ):
            what = "lacks" if mine is None else "describes otherwise"
            raise AnalysisError(
                f"it {what} the feature '{entry.name}' of the model",
                place=place,
                remedy="Write the features, dictionary and arms that the model was trained with.",
            )


def _remove_trials(frame: pd.DataFrame, bundle: Bundle) -> pd.DataFrame:
    """Give the columns of the model; none of its trials is theirs."""
    columns: dict[str, object] = {}
    for spec in bundle.manifest.feature_specs:
        if spec.part == "trial":
            nobody = [None] * len(frame)
            columns[spec.name] = pd.Categorical(nobody, categories=list(spec.levels))
        else:
            columns[spec.name] = (
                frame[spec.name].to_numpy()
                if spec.kind != "category"
                else (pd.Categorical(frame[spec.name], categories=list(spec.levels)))
            )
    return pd.DataFrame(columns, index=frame.index)
