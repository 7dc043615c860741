"""Registered models: versions, aliases, and the bundle behind each."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glabella import __version__
from glabella.bundle.manifest import Manifest
from glabella.definitions.locate import Project
from glabella.errors import BundleError, StoreError, describe_choices
from glabella.tracking.runs import OpenRun
from glabella.tracking.store import import_mlflow, open_store

CHAMPION = "champion"
CHALLENGER = "challenger"
REHEARSAL = "rehearsal"
_BUNDLE = "bundle"
# What a loaded bundle imports. Stating them saves MLflow the seconds it spends on guessing.
_REQUIRED = ("numpy", "pandas", "pydantic", "ruamel.yaml", "scikit-learn", "scipy", "xgboost")


def register_bundle(run: OpenRun, bundle: Path, manifest: Manifest) -> str:
    """Log a bundle as a model of the run, register it and set its alias.

    Parameters
    ----------
    run : OpenRun
        The training that made it.
    bundle : Path
        The bundle's folder.
    manifest : Manifest
        What it says of itself.

    Returns
    -------
    str
        ``models:/NAME/VERSION``. The alias is `challenger`, or `rehearsal` for a model trained on
        simulated data.
    """
    mlflow = import_mlflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("serving.py")),
            artifacts={_BUNDLE: str(bundle)},
            signature=_make_signature(mlflow, manifest),
            pip_requirements=[
                f"glabella=={__version__}",
                *(f"{name}=={version(name)}" for name in _REQUIRED),
            ],
            metadata={"origin": manifest.origin},
        )
    client = mlflow.MlflowClient()
    try:
        client.create_registered_model(
            manifest.analysis, tags={"glabella": __version__}, description=manifest.description
        )
    except mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    registered = client.create_model_version(
        manifest.analysis,
        logged.model_uri,
        run_id=run.run_id,
        tags={"origin": manifest.origin, "candidate": manifest.candidate},
        model_id=logged.model_id,
    )
    alias = REHEARSAL if manifest.origin == "simulated" else CHALLENGER
    client.set_registered_model_alias(manifest.analysis, alias, registered.version)
    return f"models:/{manifest.analysis}/{registered.version}"


def fetch_bundle(reference: str | None, *, project: Project, rehearsal: bool) -> Path:
    """Find a registered model and fetch its bundle.

    Parameters
    ----------
    reference : str or None
        ``NAME``, ``NAME@ALIAS`` or ``NAME/VERSION``; None for the project's only champion, or its
        only rehearsal where `rehearsal` is true.
    project : Project
        Whose registry is asked.
    rehearsal : bool
        Which alias stands for a model that is named without one.

    Returns
    -------
    Path
        The bundle's folder.

    Raises
    ------
    BundleError
        If there is no such model, with the list of those there are.
    StoreError
        If the registry can't be reached.
    """
    open_store(project)
    mlflow = import_mlflow()
    client = mlflow.MlflowClient()
    wanted = REHEARSAL if rehearsal else CHAMPION
    try:
        models = client.search_registered_models(max_results=1000)
    except mlflow.MlflowException as error:
        raise StoreError(
            f"the registry of models can't be reached: {str(error).splitlines()[0]}",
            remedy="Check MLFLOW_TRACKING_URI, or name a bundle folder with --model.",
        ) from None
    choices = _list_choices(models)
    if reference is None:
        named = [model.name for model in models if wanted in model.aliases]
        if len(named) != 1:
            count = "no model" if not named else f"{len(named)} models"
            raise BundleError(
                f"the registry has {count} with the alias '{wanted}', so one must be named",
                remedy="Name one with --model. " + _describe(choices),
            )
        reference = f"{named[0]}@{wanted}"
    name, alias, number = _parse_reference(reference, wanted)
    known = {model.name: model for model in models}
    if name not in known:
        raise BundleError(
            f"there is no model '{name}', neither a bundle folder nor registered",
            remedy=describe_choices(name, known),
        )
    if number is None:
        number = known[name].aliases.get(alias)
    versions = {str(item.version) for item in client.search_model_versions(f"name = '{name}'")}
    if number is None or str(number) not in versions:
        lacking = f"alias '{alias}'" if number is None else f"version {number}"
        raise BundleError(
            f"the model '{name}' has no {lacking}",
            remedy=_describe(choices),
        )
    local = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{number}")
    return Path(local) / "artifacts" / _BUNDLE


def _parse_reference(reference: str, default_alias: str) -> tuple[str, str, str | None]:
    if "@" in reference:
        name, _, alias = reference.partition("@")
        return name, alias, None
    if "/" in reference:
        name, _, number = reference.partition("/")
        return name, default_alias, number
    return reference, default_alias, None


def _list_choices(models: Any) -> list[str]:
    return sorted(f"{model.name}@{alias}" for model in models for alias in (model.aliases or {}))


def _describe(choices: list[str]) -> str:
    return f"There are: {', '.join(choices[:20])}." if choices else "There are none."


def _make_signature(mlflow: Any, manifest: Manifest) -> Any:
    """Declare the columns without their types: a cell of the wrong kind refuses its row only."""
    schema = mlflow.types.schema
    names = [*manifest.needed_columns, *manifest.optional_columns]
    inputs = [schema.ColSpec(schema.AnyType(), name, required=False) for name in names]
    outputs = [
        schema.ColSpec("double", "response_probability"),
        schema.ColSpec("string", "status"),
        schema.ColSpec("string", "error"),
    ]
    parameters = schema.ParamSchema([schema.ParamSpec("arm", "string", default="")])
    return mlflow.models.ModelSignature(
        inputs=schema.Schema(inputs), outputs=schema.Schema(outputs), params=parameters
    )
