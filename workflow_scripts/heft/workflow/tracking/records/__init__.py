"""What stages note beside their outputs, and how it is read again; one delivery process turns it into MLflow runs.

A record is a file of JSON lines. Each line is one event of one run: `start`, `metrics`, `artifact`, `end`. Stages thus
import no mlflow and never wait for a tracker. While a run is open its writer holds a shared flock on the file: a run
without an `end` whose file nobody holds was killed.
"""

from heft.workflow.places import FAILED
from heft.workflow.tracking.records.commit import commit_tags
from heft.workflow.tracking.records.events import is_open, read_deliverable, read_events
from heft.workflow.tracking.records.run import FORMER_STAGES, Dataset, RecordedRun, former_key, run_key
from heft.workflow.tracking.records.writing import RunRecord, append_comparison, append_finished

__all__ = [
    "FAILED",
    "FORMER_STAGES",
    "Dataset",
    "RecordedRun",
    "RunRecord",
    "append_comparison",
    "append_finished",
    "commit_tags",
    "former_key",
    "is_open",
    "read_deliverable",
    "read_events",
    "run_key",
]
