"""Finds the runs of one project in a tracking store, and no others."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from heft.workflow.tracking.run_tags import of_project
from heft.workflow.tracking.store_errors import status_of


class StoredRuns(ABC):
    """Reads what a store holds of a project; `client` is an MlflowClient.

    project: the id (`heft.workflow.identity`) that stands as a tag on each of its runs.
    """

    client: Any

    def __init__(self, project: str) -> None:
        self._project = project

    @abstractmethod
    def experiment(self, name: str) -> str:
        """The id of the MLflow experiment of that name."""

    def known_runs(self, experiment: str) -> Iterator[Mapping[str, str]]:
        """Tags `record`, `key`, `record_file` and `superseded`, and `run_id` and `status`, of the project's runs."""
        for run in self.search([self.experiment(experiment)], of_project(self._project, "tags.record != ''")):
            yield {**run.data.tags, "run_id": run.info.run_id, "status": run.info.status}

    def older_records(self, experiment: str) -> Iterator[str]:
        """The records whose runs were made before projects had identities; nobody touches these runs."""
        place, filtered = [self.experiment(experiment)], "tags.record != ''"
        try:
            runs = list(self.search(place, f"{filtered} and tags.project IS NULL"))
        except Exception as error:
            if status_of(error) != 400:  # a server whose mlflow does not know `IS NULL`
                raise
            runs = [run for run in self.search(place, filtered) if "project" not in run.data.tags]
        yield from (run.data.tags["record"] for run in runs)

    def running_runs(self) -> Iterator[Mapping[str, str]]:
        """Tags and `run_id` of the project's runs, in all experiments, that have no end yet."""
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        filtered = of_project(self._project, "tags.record != ''", "attributes.status = 'RUNNING'")
        for run in self.search(experiments, filtered):
            yield {**run.data.tags, "run_id": run.info.run_id}

    def find_run(self, experiment: str, record: str) -> str | None:
        """The project's run of one record, where there is one."""
        return self._first(experiment, f"tags.record = '{record}'")

    def find_parent(self, experiment: str, seed: int) -> str | None:
        """The project's run of a seed, where there is one."""
        return self._first(experiment, "tags.stage = 'seed'", f"tags.seed = '{seed}'")

    def search(self, experiment_ids: list[str], filter_string: str = "") -> Iterator[Any]:
        """All runs of experiments that a filter passes, whoever made them."""
        token = None
        while True:
            page = self.client.search_runs(experiment_ids, filter_string, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _first(self, experiment: str, *filters: str) -> str | None:
        filtered = of_project(self._project, *filters)
        runs = self.client.search_runs([self.experiment(experiment)], filtered, max_results=1)
        return runs[0].info.run_id if runs else None
