"""report_incomplete: the report of what a failed run has evaluated, or the index of reports; told on stdin which.

No rule runs it: `onerror` does, through `heft.workflow.runtime.partial_report`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from heft.faults import is_disk_full, sentence_of
from heft.workflow.runtime.full_disk import first_to_say_full


def main() -> None:
    """Renders the page that stdin asks for; a fault of the machine is one sentence."""
    asked = json.load(sys.stdin)
    if "index" in asked:
        list_reports(asked["index"])
    else:
        render(asked)


def list_reports(planned: list[str]) -> None:
    """Writes the index, in which an experiment that has no report is listed too."""
    from heft.reporting.index import render_index
    from heft.workflow.results.report_pages import index_entries

    folder = Path("reports")
    render_index(index_entries(folder, planned), folder / "index.html")


def render(asked: dict[str, Any]) -> None:
    """Writes the report of what is there."""
    from heft.reporting.page import render_report
    from heft.workflow.results.gather import gather
    from heft.workflow.results.report_files import sources_there

    render_report(gather(sources_there(asked)), Path(asked["page"]).parent)


try:
    main()
except Exception as error:
    sentence = sentence_of(error)
    if sentence is None:
        raise
    said = is_disk_full(error) and not first_to_say_full()
    sys.exit(1 if said else f"incomplete report: {sentence}")
