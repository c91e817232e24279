"""MLflow, in this file alone: one experiment per Heft experiment, a parent run per seed, a child run per record."""

import logging
import os
import sqlite3
import warnings
from collections.abc import Iterable, Mapping
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
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param, Run  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository  # noqa: E402
from sqlalchemy.exc import ArgumentError, SQLAlchemyError  # noqa: E402

from heft.workflow.tracking.local_store import artifact_location, make_whole  # noqa: E402
from heft.workflow.tracking.run_tags import tags_of, tags_of_seed  # noqa: E402
from heft.workflow.tracking.store_address import has_login, is_local, is_server, login_variables, without_login  # noqa: E402
from heft.workflow.tracking.store_errors import is_denial  # noqa: E402
from heft.workflow.tracking.stored_runs import StoredRuns  # noqa: E402

for noisy in ("mlflow", "alembic"):
    logging.getLogger(noisy).setLevel(logging.ERROR)

LARGEST_COPY_BYTES = 5 * 2**20
LONGEST_VALUE = 500
Unreachable = (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, ImportError)  # the last: a missing driver


class Tracker(StoredRuns):
    """Writes the runs of one project to one tracking store, and finds them; every call may raise one of `Unreachable`.

    Runs of other projects are neither found nor touched.
    """

    def __init__(self, uri: str, project: str) -> None:
        super().__init__(project)
        self._uri = uri
        self._experiments: dict[str, str] = {}
        self._parents: dict[tuple[str, int], str] = {}

    @cached_property
    def client(self) -> MlflowClient:
        """The client; the first use opens the store, which may be down, or makes it."""
        make_whole(self._uri, lambda uri: MlflowClient(uri).search_experiments(max_results=1))
        os.environ.update(login_variables(self._uri))
        return MlflowClient(without_login(self._uri) if has_login(self._uri) else self._uri)

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

    def experiment(self, name: str) -> str:
        """The id of the MLflow experiment of that name, created or restored where it is not there."""
        if name not in self._experiments:
            stored = self.client.get_experiment_by_name(name)
            if stored and stored.lifecycle_stage == LifecycleStage.DELETED:
                self.client.restore_experiment(stored.experiment_id)
            self._experiments[name] = stored.experiment_id if stored else self._create_experiment(name)
        return self._experiments[name]

    def create_run(self, start: Mapping[str, Any], file: str, computed_from_runs: Iterable[str]) -> str:
        """Creates the run of a `start` event and returns its id; what it is and came from are tags."""
        tags = tags_of(start, self._project, file, computed_from_runs)
        if start["seed"] is not None:
            tags["mlflow.parentRunId"] = self._parent(start["experiment"], start["seed"])
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
        """Ends a run as FINISHED, FAILED or KILLED, at `seconds` since the epoch (None: now).

        The sentence of an error may name a person's own files and rows: a store that is not on this machine gets its
        type alone.
        """
        if error and not is_local(self._uri):
            error = f"{error.partition(':')[0]}; the job's log says more"
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

    def remove_run(self, run: Run) -> None:
        """Removes a run for good, with its artifacts; on a server, which alone can do that, until `mlflow gc` there.

        `mlflow gc` is not called here: it also removes every deleted experiment and model of whoever shares the store.
        """
        self.client.delete_run(run.info.run_id)
        if not is_server(self._uri):
            get_artifact_repository(run.info.artifact_uri).delete_artifacts()
            store = self.client._tracking_client.store
            if hasattr(store, "_hard_delete_run"):
                store._hard_delete_run(run.info.run_id)

    def _create_experiment(self, name: str) -> str:
        tags = {"mlflow.experimentKind": "custom_model_development", "project": self._project}
        try:
            return str(self.client.create_experiment(name, artifact_location(self._uri), tags))
        except MlflowException:
            stored = self.client.get_experiment_by_name(name)
            if stored is None:
                raise
            return str(stored.experiment_id)  # another project made it just now

    def _parent(self, experiment: str, seed: int) -> str:
        """The project's run of a seed, finished all along, so that a killed delivery leaves none running."""
        if (experiment, seed) not in self._parents:
            stored = self.find_parent(experiment, seed)
            self._parents[experiment, seed] = stored or self._create_parent(experiment, seed)
        return self._parents[experiment, seed]

    def _create_parent(self, experiment: str, seed: int) -> str:
        tags, place = tags_of_seed(seed, self._project), self.experiment(experiment)
        created = self.client.create_run(place, tags=tags, run_name=f"seed {seed}")
        self.client.log_batch(created.info.run_id, params=[Param("experiment", experiment), Param("seed", str(seed))])
        self.client.set_terminated(created.info.run_id, "FINISHED")
        return str(created.info.run_id)

    def _log_dataset(self, run_id: str, facts: Mapping[str, str]) -> None:
        dataset = Dataset(facts["name"], facts["digest"][:36], "local", facts["source"] or facts["name"])
        self.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])

    def _log_artifact(self, run_id: str, event: Mapping[str, Any]) -> None:
        """Copies a small file of this folder; notes path and SHA-256 of every file as a tag.

        Of a private file a store that is not on this machine gets what may be shared in its place, if there is such.
        """
        path = Path(event["path"])
        stays = event.get("private", False) and not is_local(self._uri)
        copied = Path(event["shared"]) if stays else path
        inside = copied.resolve().is_relative_to(Path.cwd().resolve())
        if inside and copied.is_file() and copied.stat().st_size <= LARGEST_COPY_BYTES:
            self.client.log_artifact(run_id, str(copied))
        self.client.set_tag(run_id, f"sha256.{path.name}", f"{event['sha256']} {event['path']}")
