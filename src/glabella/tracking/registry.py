"""Registered models: versions, aliases, and the bundle behind each."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from glabella.bundle.manifest import SUMS_FILE, Manifest
from glabella.definitions.locate import Project
from glabella.errors import BundleError, StoreError, describe_choices
from glabella.tracking.locations import describe_lost, find_files, read_path
from glabella.tracking.references import ModelReference, parse_reference
from glabella.tracking.runs import OpenRun
from glabella.tracking.store import Store, explain_store_errors, load_mlflow, open_store

CHAMPION = "champion"
CHALLENGER = "challenger"
SIMULATED = "simulated"
# What releases before this one called it; read for one release more.
_ONCE_SIMULATED = "rehearsal"
# Digests of the bundle's list of sums, which covers every file of it, and of the run's record.
BUNDLE_TAG = "bundle_sha256"
RECORD_TAG = "record_sha256"
# The version that an updated version was made from.
UPDATED_TAG = "updated_from"
_BUNDLE = "bundle"
_PAGE = 1000
_LOST = "the files of this version are not in the store"
_RETRAIN = "Train again, or restore the store's files from a copy."
# The packages that a loaded bundle imports; MLflow would take seconds to find them itself.
_REQUIRED = ("numpy", "pandas", "pydantic", "ruamel.yaml", "scikit-learn", "scipy", "xgboost")


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a registered model.

    Parameters
    ----------
    name, version : str
        The registered model and the number of the version.
    run_id : str
        The training that made it.
    aliases : tuple of str
        The aliases of this version.
    tags : mapping of str
        Its digests, its origin and the verdicts of the gate.
    """

    name: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]


def register_bundle(
    run: OpenRun,
    bundle: Path,
    manifest: Manifest,
    *,
    record: Path,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Register a bundle as a model of the run, and set its alias.

    Returns
    -------
    str
        ``models:/NAME/VERSION``, tagged with the digests of bundle and record. The alias is
        `challenger`, or `simulated` for a model trained on simulated data.
    """
    with explain_store_errors(run.store, files=True):
        run.check_inside()
        return _register(run, bundle, manifest, record, tags)


def _register(
    run: OpenRun, bundle: Path, manifest: Manifest, record: Path, tags: Mapping[str, str]
) -> str:
    mlflow = load_mlflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("serving.py")),
            # It is an address, so that a `%` in the path is not read as a code.
            artifacts={_BUNDLE: bundle.absolute().as_uri()},
            signature=_make_signature(mlflow, manifest),
            pip_requirements=[
                f"glabella=={version('glabella')}",
                *(f"{name}=={version(name)}" for name in _REQUIRED),
            ],
            metadata={"origin": manifest.origin},
        )
    client = mlflow.MlflowClient()
    try:
        client.create_registered_model(
            manifest.analysis,
            tags={"glabella": version("glabella")},
            description=manifest.description,
        )
    except mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    registered = client.create_model_version(
        manifest.analysis,
        logged.model_uri,
        run_id=run.run_id,
        tags={
            "origin": manifest.origin,
            "candidate": manifest.candidate,
            BUNDLE_TAG: hash_file(bundle / SUMS_FILE),
            RECORD_TAG: hash_file(record),
            **tags,
        },
        model_id=logged.model_id,
    )
    alias = SIMULATED if manifest.origin == "simulated" else CHALLENGER
    _mark_newest(client, manifest.analysis, str(registered.version), alias)
    return f"models:/{manifest.analysis}/{registered.version}"


def _mark_newest(client: Any, name: str, version: str, alias: str) -> None:
    """Mark a version with an alias, and remove the older name of the alias from all versions."""
    client.set_registered_model_alias(name, alias, version)
    if alias == SIMULATED:
        client.delete_registered_model_alias(name, _ONCE_SIMULATED)


def find_registered_bundle(
    reference: str | None, *, project: Project, allow_simulated: bool
) -> Path:
    """Find a registered model and fetch its bundle, compared with the digest that was registered.

    Returns
    -------
    Path
        The bundle's folder. A version that was registered without a digest is accepted, so that
        models in use keep scoring; its files are still compared with the bundle's own sums.
    """
    named = None if reference is None else parse_reference(reference)
    store = open_store(project)
    found = find_version(store, named, alias=SIMULATED if allow_simulated else CHAMPION)
    return find_version_bundle(store, found)


def find_version(store: Store, named: ModelReference | None, *, alias: str) -> RegisteredVersion:
    """Find a version in the registry, by default the only one with an alias."""
    with explain_store_errors(store):
        models = load_mlflow().MlflowClient().search_registered_models(max_results=1000)
    known = {str(model.name): _read_aliases(model) for model in models}
    choices = _describe(
        sorted(f"{name}@{each}" for name, aliases in known.items() for each in aliases)
    )
    if named is None:
        having = [name for name, aliases in known.items() if alias in aliases]
        if len(having) != 1:
            count = "no model" if not having else f"{len(having)} models"
            raise BundleError(
                f"the registry has {count} with the alias '{alias}', so a model must be named",
                remedy="Name one with --model. " + choices,
            )
        named = ModelReference(having[0])
    if named.name not in known:
        raise BundleError(
            f"there is no model '{named.name}', neither a bundle folder nor registered",
            remedy=describe_choices(named.name, known),
        )
    wanted = named.alias or alias
    if wanted == _ONCE_SIMULATED:
        wanted = SIMULATED
    number = named.version or known[named.name].get(wanted)
    versions = {item.version: item for item in list_versions_of(store, named.name)}
    if number is None or str(number) not in versions:
        lacking = f"alias '{wanted}'" if number is None else f"version {number}"
        raise BundleError(f"the model '{named.name}' has no {lacking}", remedy=choices)
    return versions[str(number)]


def list_versions_of(store: Store, name: str | None = None) -> list[RegisteredVersion]:
    """List the registered versions of a model, or of all models."""
    with explain_store_errors(store):
        client = load_mlflow().MlflowClient()
        aliases = {
            str(model.name): _read_aliases(model)
            for model in client.search_registered_models(max_results=1000)
        }
        asked = {} if name is None else {"filter_string": f"name = '{name}'"}
        found = client.search_model_versions(max_results=_PAGE, **asked)
    versions = [
        RegisteredVersion(
            name=str(item.name),
            version=str(item.version),
            run_id=str(item.run_id),
            aliases=tuple(
                sorted(
                    alias
                    for alias, number in aliases.get(str(item.name), {}).items()
                    if str(number) == str(item.version)
                )
            ),
            tags=dict(item.tags or {}),
        )
        for item in found
    ]
    return sorted(versions, key=lambda item: (item.name, -int(item.version)))


def _read_aliases(model: Any) -> dict[str, str]:
    """Read the version behind each alias, under today's names."""
    found = {str(alias): str(number) for alias, number in (model.aliases or {}).items()}
    once = found.pop(_ONCE_SIMULATED, None)
    return found if once is None else {SIMULATED: once, **found}


def is_registered(run_id: str) -> bool:
    """Return whether a version in the open registry was made by a run."""
    mlflow = load_mlflow()
    try:
        found = mlflow.MlflowClient().search_model_versions(f"run_id = '{run_id}'", max_results=1)
    except mlflow.MlflowException:
        return True
    return len(found) > 0


def find_version_bundle(store: Store, found: RegisteredVersion) -> Path:
    """Find the bundle of a version, and compare it with the digest that was registered."""
    bundle = _find_version_files(store, found) / "artifacts" / _BUNDLE
    check_digest(bundle / SUMS_FILE, found, BUNDLE_TAG, "bundle")
    return bundle


def _find_version_files(store: Store, found: RegisteredVersion) -> Path:
    address = f"models:/{found.name}/{found.version}"
    with explain_store_errors(store, files=True):
        mlflow = load_mlflow()
        client = mlflow.MlflowClient()
        recorded = client.get_model_version_download_uri(found.name, found.version)
        if store.root is None:
            try:
                return Path(mlflow.artifacts.download_artifacts(artifact_uri=address))
            except (mlflow.MlflowException, OSError) as error:
                there = read_path(recorded)
                if there is not None and not there.is_dir():
                    finding = describe_lost(recorded).finding
                elif isinstance(error, OSError):
                    finding = _LOST
                else:
                    raise
                raise BundleError(finding, place=address, remedy=_RETRAIN) from None
    there = read_path(recorded)
    try:
        # MLflow names the folders models/ID/artifacts.
        return find_files(store.root, recorded, *(there.parts[-3:] if there else ()))
    except StoreError as error:
        raise BundleError(error.finding, place=address, remedy=error.remedy) from None


def check_digest(path: Path, found: RegisteredVersion, tag: str, what: str) -> None:
    """Refuse a file whose digest is not the one that was registered."""
    registered = found.tags.get(tag)
    if registered is None:
        return
    if not path.is_file() or hash_file(path) != registered:
        raise BundleError(
            f"the {what} in the store is not the one that was registered",
            place=f"models:/{found.name}/{found.version}",
            remedy=_RETRAIN,
        )


def hash_file(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _describe(choices: list[str]) -> str:
    return f"There are: {', '.join(choices[:20])}." if choices else "There are none."


def _make_signature(mlflow: Any, manifest: Manifest) -> Any:
    """Make the signature without types, so that a wrong cell refuses only its row."""
    schema = mlflow.types.schema
    # Spark asks for every declared column, so one form is declared.
    names = [*manifest.form.needed_columns, *manifest.form.optional_columns]
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
