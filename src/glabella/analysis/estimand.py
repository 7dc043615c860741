"""The estimand of an analysis in the words of ICH E9(R1)."""

from __future__ import annotations

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.data.endpoints.intercurrent import describe_event
from glabella.domain.estimand import EVENTS


def describe_estimand(loaded: LoadedAnalysis) -> dict[str, list[str]]:
    """Say what is estimated.

    Returns
    -------
    dict
        Attribute to its sentences: population, treatment, variable, intercurrent events, missing
        outcomes, summary.

    References
    ----------
    .. [1] International Council for Harmonisation. E9(R1): addendum on estimands and sensitivity
       analysis in clinical trials, 2019, section A.3.
    """
    analysis, endpoint = loaded.analysis, loaded.endpoint
    had = loaded.outcomes.had_event or {}
    undeclared = [label for name, label in EVENTS.items() if name not in endpoint.intercurrent]
    events = [
        describe_event(name, event, had.get(name)) for name, event in endpoint.intercurrent.items()
    ]
    if undeclared:
        events.append(f"Not declared: {', '.join(undeclared).lower()}")
    trials = list(dict.fromkeys(loaded.tables.participants["studyid"].astype(str)))
    under = " under each arm" if analysis.arms else ""
    arms = [f"{arm.label or arm.name} ({arm.role})" for arm in analysis.arms]
    attributes = {
        "Population": [analysis.population or f"Participants of {', '.join(trials)}"],
        "Treatment": [" against ".join(arms) if arms else "What the participants were given"],
        "Variable": [endpoint.describe_variable()],
        "Intercurrent events": events,
        "Missing outcomes": [endpoint.missing.describe()],
        "Summary": [
            f"Each participant's probability of response{under}, predicted from "
            f"{loaded.resolved.feature_set.value.predict_at}"
        ],
    }
    return {
        name: [sentence[:1].upper() + sentence[1:] for sentence in sentences]
        for name, sentences in attributes.items()
    }
