"""How the tables of a simulation are read: through the mapping of any other source."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from glabella.data.adam.source import AdamFiles, AdamSource
from glabella.data.dictionary import Dictionary
from glabella.data.mapping.sources import AssessmentsFile, ParticipantsFile, TrialSource
from glabella.data.reading.raw import RawTable
from glabella.simulation.frames import TrialTables
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.trials import ScenarioTrial

PARTICIPANTS, ASSESSMENTS = "participants", "assessments"
TRUTH = "truth/truth.csv"
ADSL, ADQS, ADAE = "adsl.xpt", "adqs.xpt", "adae.xpt"

# Names of ADaM have eight letters at most.
ADSL_COLUMNS = {
    "illness_months": "ILLMON",
    "episodes": "EPISODES",
    "antidepressant": "ANTIDEP",
    "resistance": "RESIST",
    "expectancy": "EXPECT",
    "dose_units": "DOSE",
    "believed_arm": "BELIEF",
}
_STANDARD = ("age_years", "sex")
_PARAMETERS = {
    "depression_total": "DEPTOT",
    "frown_max": "FRMAX",
    "frown_rest": "FRREST",
    "bdi_total": "BDI",
    "bdi2_total": "BDI2",
}


def name_parameter(variable: str) -> str:
    """Name a variable's ``PARAMCD``."""
    return _PARAMETERS.get(variable, variable.upper())


def list_scores(trial: ScenarioTrial) -> list[str]:
    """List the variables that a trial rates at its visits."""
    names = ["depression_total", "frown_max", "frown_rest"]
    if trial.self_report is not None:
        names.append(trial.self_report.variable)
    if trial.has_items:
        names += [f"hamd{number + 1:02d}" for number in range(len(trial.rating.item_maxima))]
    return names


def make_table_source(
    scenario: Scenario,
    dictionary: Dictionary,
    *,
    ending: str = "csv",
    tabulated: Collection[str] | None = None,
) -> TrialSource:
    """Describe simulated tables in CSV or Parquet."""
    columns = [*_STANDARD, *name_adsl_columns(scenario), *scenario.adverse_events]
    if tabulated is not None:
        columns = [name for name in columns if name in tabulated]
    return TrialSource(
        name="simulated",
        participants=ParticipantsFile(
            file=f"{PARTICIPANTS}.{ending}",
            id="usubjid",
            trial="studyid",
            site="siteid",
            cohort="cohort",
            arm="arm",
            scale="scale",
            variables={name: name for name in columns if name in dictionary.variables},
        ),
        assessments=(
            AssessmentsFile(
                file=f"{ASSESSMENTS}.{ending}",
                id="usubjid",
                trial="studyid",
                parameter="paramcd",
                week="week",
                value="aval",
            ),
        ),
    )


def find_sources(
    scenario: Scenario, dictionary: Dictionary, folder: Path
) -> tuple[TrialSource | AdamSource, ...]:
    """Describe the tables that a simulation wrote into a folder, whatever their format.

    Returns
    -------
    tuple of TrialSource or AdamSource
        Of CSV where nothing is there, so that the reader says what is missing.
    """
    if (folder / f"{PARTICIPANTS}.parquet").exists():
        return (make_table_source(scenario, dictionary, ending="parquet"),)
    if any((folder / trial.id / ADSL).exists() for trial in scenario.trials):
        return tuple(_make_adam_source(scenario, trial, dictionary) for trial in scenario.trials)
    return (make_table_source(scenario, dictionary),)


def _make_adam_source(
    scenario: Scenario, trial: ScenarioTrial, dictionary: Dictionary
) -> AdamSource:
    known = dictionary.variables
    events = [name for name in scenario.adverse_events if name in known]
    return AdamSource(
        name=trial.id,
        adam=AdamFiles(
            adsl=f"{trial.id}/{ADSL}",
            bds=(f"{trial.id}/{ADQS}",),
            adae=f"{trial.id}/{ADAE}" if events else None,
        ),
        parameters={name: name_parameter(name) for name in list_scores(trial) if name in known},
        variables={
            name: column for name, column in name_adsl_columns(scenario).items() if name in known
        },
        events={name: {"AEDECOD": (name_event(name),)} for name in events},
        cohort="COHORT",
        scale=trial.scale,
    )


def name_adsl_columns(scenario: Scenario) -> dict[str, str]:
    """Name the columns of ADSL that hold a scenario's variables, age and sex apart."""
    return {**ADSL_COLUMNS, **{name: name.upper() for name in scenario.nominal}}


def name_event(event: str) -> str:
    """Write an adverse event as ADAE does."""
    return event.replace("_", " ").upper()


def make_raw_tables(simulated: TrialTables) -> dict[str, RawTable]:
    """Give simulated tables by the names that `make_table_source` maps."""
    return {
        f"{PARTICIPANTS}.csv": RawTable(simulated.participants),
        f"{ASSESSMENTS}.csv": RawTable(simulated.assessments),
    }
