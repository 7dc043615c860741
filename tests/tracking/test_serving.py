"""The model behind `mlflow models serve` gives the numbers of `glabella score`."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

import glabella


@contextmanager
def _serve(project, model):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "-p", str(port)]
    uri = f"sqlite:///{project / 'mlruns' / 'mlflow.db'}"
    process = subprocess.Popen(
        [*command, "--env-manager", "local", "--host", "127.0.0.1"],
        env={
            **os.environ,
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # mlflow calls its server by name, as in an environment that is activated.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _ask(address, content=None):
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def _wait(address):
    for _ in range(240):
        try:
            return _ask(f"{address}/ping")
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the server did not start")


def test_served_scores_are_those_of_a_file_to_the_last_digit(trained, new_patients, tmp_path):
    project, result = trained
    table = new_patients.astype(str)
    table.loc[4, "age"] = "forty"
    table.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "scores.parquet"
    ours = glabella.score(tmp_path / "new.csv", out=out, model=result.bundle).frame()
    with _serve(project, result.model_uri) as address:
        _wait(address)
        sent = {"dataframe_split": table.to_dict(orient="split", index=False)}
        answer = json.loads(_ask(f"{address}/invocations", sent))
    served = pd.DataFrame(answer["predictions"])
    assert served["response_probability"].tolist()[:4] == ours["response_probability"].tolist()[:4]
    known = ours["response_probability"].notna()
    assert served.loc[known, "response_probability"].astype(float).tolist() == (
        ours.loc[known, "response_probability"].tolist()
    )
    for column in ("status", "error", "in_domain", "domain_note", "reason_1", "model"):
        assert served[column].tolist() == ours[column].tolist()


def test_a_model_that_an_earlier_version_logged_finds_the_names_that_it_imports():
    # A logged model has a copy of `serving.py`, which imports these and nothing else of ours.
    from glabella.bundle.load import load_bundle
    from glabella.bundle.predict import score_frame
    from glabella.tracking.store import import_mlflow

    assert all(map(callable, (load_bundle, score_frame, import_mlflow)))
