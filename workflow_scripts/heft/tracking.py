"""MLflow, in this file alone: one experiment per Heft experiment, a parent run per seed, a child run per record."""

import logging
import os
import re
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

# Before mlflow is imported: it reads these then, and a default run prints nothing it need not.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
warnings.filterwarnings("ignore", category=FutureWarning, module="mlflow.*")

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from sqlalchemy.engine import make_url  # noqa: E402
from sqlalchemy.exc import ArgumentError, SQLAlchemyError  # noqa: E402

from heft.faults import is_disk_full  # noqa: E402

for noisy in ("mlflow", "alembic"):
    logging.getLogger(noisy).setLevel(logging.ERROR)

DEFAULT_STORE = "sqlite:///mlflow.db"
LARGEST_COPY_BYTES = 5 * 2**20
LONGEST_VALUE = 500
LONGEST_TAG = 5000
Unreachable = (MlflowException, SQLAlchemyError, OSError, ImportError)  # the last: a database without its driver


def tracking_uri() -> str:
    """Where runs go: MLFLOW_TRACKING_URI, or mlflow's own default store in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE


class Tracker:
    """Writes runs to one tracking store; every call may raise one of `Unreachable`."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._experiments: dict[str, str] = {}
        self._parents: dict[tuple[str, int], str] = {}

    @cached_property
    def client(self) -> MlflowClient:
        """The client; the first use opens the store, which may be down, or makes it."""
        make_store(self._uri)
        return MlflowClient(tracking_uri=self._uri)

    def reachable(self) -> bool:
        """Whether the store answers."""
        try:
            self.client.search_experiments(max_results=1)
        except Unreachable:
            return False
        return True

    def denies(self, error: Exception) -> bool:
        """Whether waiting does not help: the store keeps this account out, or its driver is not installed."""
        return is_denial(error) or isinstance(error, ImportError | ArgumentError)

    def identity(self, experiment: str) -> str:
        """Tells an experiment from one of the same name in a store that was made anew."""
        found = self.client.get_experiment(self.experiment(experiment))
        return f"{found.experiment_id} {found.creation_time}"

    def experiment(self, name: str) -> str:
        """The id of the MLflow experiment of that name, created or restored where it is not there."""
        if name not in self._experiments:
            found = self.client.get_experiment_by_name(name)
            if found and found.lifecycle_stage == LifecycleStage.DELETED:
                self.client.restore_experiment(found.experiment_id)
            kind = {"mlflow.experimentKind": "custom_model_development"}
            self._experiments[name] = found.experiment_id if found else self.client.create_experiment(name, tags=kind)
        return self._experiments[name]

    def known_runs(self, experiment: str) -> Iterator[Mapping[str, str]]:
        """Tags `record`, `key`, `record_file` and `superseded`, and `run_id` and `status`, of every run of a record."""
        token = None
        while True:
            page = self.client.search_runs([self.experiment(experiment)], "tags.record != ''", page_token=token)
            for run in page:
                yield {**run.data.tags, "run_id": run.info.run_id, "status": run.info.status}
            token = page.token
            if not token:
                return

    def find_run(self, experiment: str, record: str) -> str | None:
        """The run of one record, where there is one."""
        found = self.client.search_runs([self.experiment(experiment)], f"tags.record = '{record}'", max_results=1)
        return found[0].info.run_id if found else None

    def create_run(self, start: Mapping[str, Any], file: str, computed_from_runs: Iterable[str]) -> str:
        """Creates the run of a `start` event and returns its id; what it is and came from are tags."""
        dataset = start["dataset"]
        tags = {
            **start["tags"],
            "stage": start["stage"],
            "record": start["record"],
            "record_file": file,
            "key": start["key"],
            "superseded": "false",
            "dataset": f"{dataset['name']} {dataset['digest']}" if dataset else "",
            "computed_from": ", ".join(start["parents"]),
            "computed_from_run": ", ".join(computed_from_runs),
            "mlflow.source.name": "snakemake",
        }
        if start["seed"] is not None:
            tags["mlflow.parentRunId"] = self._parent(start["experiment"], start["seed"])
        tags = {name: value[:LONGEST_TAG] for name, value in tags.items() if value}
        experiment, milliseconds = self.experiment(start["experiment"]), int(start["time"] * 1000)
        return self.client.create_run(experiment, milliseconds, tags, start["name"]).info.run_id

    def log(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None:
        """Logs the parameters, metrics, data set and artifacts of events; doing so twice changes nothing."""
        parameters: list[Param] = []
        metrics: list[Metric] = []
        for event in events:
            if event["event"] == "start":
                parameters += [Param(name, str(value)[:LONGEST_VALUE]) for name, value in event["parameters"].items()]
                # A row of the comparison names its data by its tag alone: a logged input costs a sixth of a delivery.
                if event["dataset"] and not event["action"]:
                    self._log_dataset(run_id, event["dataset"])
            elif event["event"] == "metrics":
                time = int(event["time"] * 1000)
                metrics += [Metric(name, float(value), time, event["step"]) for name, value in event["values"].items()]
            elif event["event"] == "artifact":
                self._log_artifact(run_id, event)
        if parameters or metrics:
            self.client.log_batch(run_id, metrics, parameters)

    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None:
        """Ends a run as FINISHED, FAILED or KILLED, at `seconds` since the epoch (None: now)."""
        if error:
            self.client.set_tag(run_id, "error", error[:LONGEST_VALUE])
        self.client.set_terminated(run_id, status, int(seconds * 1000) if seconds else None)

    def supersede(self, run_id: str) -> None:
        """Marks a run that a later one replaces; the README's filters leave it out."""
        self.client.set_tag(run_id, "superseded", "true")

    def close_parents(self) -> None:
        """Gives the parent runs of this session their end."""
        for run_id in self._parents.values():
            self.client.set_terminated(run_id, "FINISHED")

    def _parent(self, experiment: str, seed: int) -> str:
        """The run of a seed; it counts as finished all along, so that a killed delivery leaves none running."""
        if (experiment, seed) not in self._parents:
            place = self.experiment(experiment)
            found = self.client.search_runs([place], f"tags.stage = 'seed' and tags.seed = '{seed}'", max_results=1)
            if found:
                run_id = found[0].info.run_id
            else:
                tags = {"stage": "seed", "seed": str(seed), "superseded": "false", "mlflow.source.name": "snakemake"}
                run_id = self.client.create_run(place, tags=tags, run_name=f"seed {seed}").info.run_id
                self.client.log_batch(run_id, params=[Param("experiment", experiment), Param("seed", str(seed))])
                self.client.set_terminated(run_id, "FINISHED")
            self._parents[experiment, seed] = run_id
        return self._parents[experiment, seed]

    def _log_dataset(self, run_id: str, facts: Mapping[str, str]) -> None:
        dataset = Dataset(facts["name"], facts["digest"][:36], "local", facts["source"] or facts["name"])
        self.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])

    def _log_artifact(self, run_id: str, event: Mapping[str, Any]) -> None:
        """Copies a small file of this folder; notes path and SHA-256 of every file as a tag."""
        path = Path(event["path"])
        inside = path.resolve().is_relative_to(Path.cwd().resolve())
        if inside and path.is_file() and path.stat().st_size <= LARGEST_COPY_BYTES:
            self.client.log_artifact(run_id, str(path))
        self.client.set_tag(run_id, f"sha256.{path.name}", f"{event['sha256']} {event['path']}")


def make_store(uri: str) -> None:
    """Makes a SQLite store that is not there under another name first.

    mlflow makes it in hundreds of steps; one that a kill or a full disk left between two of them never opens again.
    """
    url = make_url(uri) if uri.startswith("sqlite:") else None
    if url is None or not url.database or url.database == ":memory:" or Path(url.database).exists():
        return
    store = Path(url.database)
    # A name of its own each time: mlflow keeps its connection to a store of the same name.
    unfinished = store.with_name(f".{store.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        MlflowClient(url.set(database=str(unfinished)).render_as_string(hide_password=False)).search_experiments()
        os.replace(unfinished, store)
    finally:
        for left in store.parent.glob(f"{unfinished.name}*"):
            left.unlink()


def is_denial(error: Exception) -> bool:
    """Whether a store answered that this account or its token may not do that."""
    return isinstance(error, MlflowException) and error.get_http_status_code() in (401, 403)


def reason_of(error: Exception) -> str:
    """Why a store takes nothing, in a few words."""
    if is_disk_full(error):
        return "the disk is full"
    if isinstance(error, MlflowException) and is_denial(error):
        return f"it refuses this account or its token, status {error.get_http_status_code()}"
    if "Max retries exceeded" in str(error) or isinstance(error, ConnectionError | TimeoutError):
        return "it does not answer"
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def without_password(uri: str) -> str:
    """The address of a store as it may be shown."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", uri)


def runs_pages(base_url: str, uri: str) -> dict[str, str]:
    """Address of the runs of each experiment, opened in the UI's mode for model training."""
    client = Tracker(uri).client
    return {
        found.name: f"{base_url}/#/experiments/{found.experiment_id}/runs?workflowType=machine_learning"
        for found in client.search_experiments()
        if found.name != "Default"
    }
