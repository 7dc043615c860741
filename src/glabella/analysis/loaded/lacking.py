"""Features that a whole trial lacks: what the analysis does about them."""

from __future__ import annotations

from dataclasses import replace

from glabella.analysis.resolve import ResolvedAnalysis
from glabella.data.checks import Finding
from glabella.data.tables import PatientTables
from glabella.errors import AnalysisError
from glabella.features.assemble import build_patient_features, find_lacking_trials


def drop_lacking(
    resolved: ResolvedAnalysis, tables: PatientTables
) -> tuple[ResolvedAnalysis, PatientTables]:
    """Take out the features that a whole trial lacks, or the trial, as the analysis says."""
    analysis, features = resolved.analysis.value, resolved.feature_set
    if analysis.data.lacking == "refuse":
        return resolved, tables
    frame = build_patient_features(tables, features.value, resolved.dictionary.value)
    trials = tables.participants["studyid"]
    lacking = find_lacking_trials(frame, trials)
    if not lacking:
        return resolved, tables
    goes = analysis.data.lacking
    names = [feature.name for feature in features.value.features]
    findings = tuple(
        Finding(
            place=features.origin.name_place("features", names.index(name)),
            finding=f"nobody in {', '.join(without)} has the feature '{name}', so the {goes} goes",
            remedy="`lacking:` of the analysis decides which.",
            severity="note",
        )
        for name, without in lacking.items()
    )
    if goes == "feature":
        kept = tuple(item for item in features.value.features if item.name not in lacking)
        if not kept:
            raise AnalysisError(
                "every feature is lacking in some trial, so none is left",
                place=features.origin.name,
                remedy="Write `lacking: trial`, or pool trials that share features.",
            )
        smaller = replace(features, value=features.value.model_copy(update={"features": kept}))
        return replace(resolved, feature_set=smaller), replace(
            tables, findings=(*tables.findings, *findings)
        )
    gone = {trial for without in lacking.values() for trial in without}
    if gone == set(trials):
        raise AnalysisError(
            "every trial lacks some feature, so none is left",
            place=resolved.analysis.origin.name_place("data", "lacking"),
            remedy="Write `lacking: feature`, or choose fewer features.",
        )
    stays = ~trials.isin(list(gone))
    visits = tables.assessments[~tables.assessments["studyid"].isin(list(gone))]
    return resolved, replace(
        tables,
        participants=tables.participants[stays].reset_index(drop=True),
        assessments=visits.reset_index(drop=True),
        findings=(*tables.findings, *findings),
    )
