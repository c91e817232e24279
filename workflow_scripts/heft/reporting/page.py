"""Writes a report: one self-contained page, the two tables, and each figure as a file."""

import base64
import gzip
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from markupsafe import Markup

from heft.artifacts import write_text
from heft.evaluation.columns import COLUMNS
from heft.reporting.analysis.agreement import agreement_of
from heft.reporting.analysis.classes import class_changes
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Outcome
from heft.reporting.figures.all_figures import draw_figures
from heft.reporting.figures.palette import method_colours, method_marks
from heft.reporting.gallery import make_gallery
from heft.reporting.inputs import ReportInput
from heft.reporting.tables.behind import agreement_table, class_table, detection_table, missing_table
from heft.reporting.tables.comparison_table import comparison_table
from heft.reporting.tables.diverged import diverged_table
from heft.reporting.tables.left_out import left_out_of
from heft.reporting.tables.legend import baseline_legend, legend
from heft.reporting.tables.warnings import warnings_table
from heft.reporting.templating import filled, verbatim
from heft.reporting.text.actions import explained, limits, opening, third_person, treated_means
from heft.reporting.text.measure import explained_measure
from heft.reporting.text.sentences import what_seeds_vary
from heft.reporting.text.verdict import judge
from heft.reporting.wording import share

LARGEST_EMBEDDED_CSV = 2_000_000  # bytes; a larger table is embedded as a gzip file
FILTERS: Mapping[str, Callable[..., str]] = {"share": share, "opening": opening, "third_person": third_person}
TONES = {Outcome.GAIN: "good", Outcome.WORSE_THAN_RANDOM: "bad", Outcome.LOSS: "bad"}


# longer: the list of what the template is given
def render_report(report: ReportInput, folder: str | Path, shared: str | Path | None = None) -> None:
    """Writes index.html, comparison.csv, metrics.csv and figures/*.svg; the same input gives the same bytes.

    shared: where the page goes a second time, which neither shows nor names examples of a person's own data.
    """
    folder = Path(folder)
    comparison = Comparison(report)
    verdict = judge(comparison)
    agreement = agreement_of(report.agreement, comparison)
    class_names = report.manifest.get("class_names", [])
    classes = class_changes(comparison, verdict.choice, class_names)
    figures = draw_figures(report, comparison, verdict, agreement, classes)
    table = report.comparison[list(COLUMNS)].to_csv(index=False, lineterminator="\n")
    tables = {"comparison.csv": table, "metrics.csv": report.long_metrics.to_csv(index=False, lineterminator="\n")}
    gallery = None
    if report.training is not None:
        gallery = make_gallery(report.training, comparison, verdict, class_names)
    if gallery and not report.show_examples:
        gallery = gallery.with_ids_alone()
    page = partial(
        filled,
        "page.html.j2",
        FILTERS,
        comparison=comparison,
        verdict=verdict,
        evaluated=comparison.rows.groupby(["variant", "seed"]).ngroups,
        tone=TONES.get(verdict.outcome, "unclear"),
        figures={name: (picture, Markup(picture.svg)) for name, picture in figures.items()},
        table=comparison_table(comparison, verdict),
        detection=detection_table(comparison),
        agreement=agreement_table(agreement),
        classes=class_table(classes, comparison),
        missing=missing_table(comparison),
        diverged=diverged_table(comparison),
        warned=warnings_table(report.warnings, comparison),
        legend=legend(report.methods, {variant.method for variant in comparison.variants}),
        baselines=baseline_legend(report.baselines),
        colours=method_colours(comparison),
        marks=method_marks(comparison),
        download=_download(table, f"comparison-{report.experiment}"),
        digests={name: hashlib.sha256(text.encode()).hexdigest() for name, text in tables.items()},
        measure=comparison.measure,
        action=comparison.any_action,
        explained=explained(list(comparison.actions.values())),
        treated=treated_means(list(comparison.actions.values())),
        measured=explained_measure(comparison.measure),
        limits=limits(list(comparison.actions.values())),
        drawn=what_seeds_vary(comparison, report.split.resample),
        script=verbatim("page.js"),
    )
    for former in (folder / "figures").glob("*.svg"):
        if former.stem not in figures:
            former.unlink()
    for name, text in tables.items():
        write_text(folder / name, text)
    for name, picture in figures.items():
        write_text(folder / "figures" / f"{name}.svg", picture.svg)
    left_out = left_out_of(report.manifest)
    write_text(folder / "index.html", page(report=report, gallery=gallery, left_out=left_out, with_ids=True))
    if report.is_personal:
        report = report.with_pseudonyms()
        gallery = gallery and gallery.with_pseudonyms()
        left_out = left_out and left_out.without_names()
    if shared is not None:
        with_ids = not report.is_personal
        write_text(shared, page(report=report, gallery=gallery, left_out=left_out, with_ids=with_ids))


def _download(table: str, name: str) -> tuple[str, str]:
    """The table as a data URI and the name to save it under, so that the page alone holds it; a large one packed."""
    content = table.encode()
    if len(content) <= LARGEST_EMBEDDED_CSV:
        return "data:text/csv;base64," + base64.b64encode(content).decode(), f"{name}.csv"
    packed = gzip.compress(content, mtime=0)
    return "data:application/gzip;base64," + base64.b64encode(packed).decode(), f"{name}.csv.gz"
