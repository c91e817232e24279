"""Tables behind the figures: detection, agreement, classes; and what an unfinished run lacks."""

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.agreement import Agreement
from heft.reporting.analysis.classes import ClassChanges
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.tables.table import Cell, Column, Line, Table, known, tone_of
from heft.reporting.wording import (
    amount,
    decimal,
    listed,
    percent,
    points,
    points_interval,
    seed_numbers,
    share,
    signed,
)


def detection_table(comparison: Comparison) -> Table | None:
    """How well each variant finds wrong labels when as many are inspected as are wrong; None where none are known."""
    counts = [comparison.long.values("noise_n_wrong", variant.slug) for variant in comparison.variants]
    n_wrong = next((count for count in counts if len(count)), None)
    if n_wrong is None:
        return None
    lines = []
    for variant in comparison.variants:
        precision, recall, missed = (
            float(comparison.long.values(f"noise_{name}_inspected", variant.slug).mean())
            for name in ("precision", "recall", "missed")
        )
        cells = [Cell(variant.marked, variant.label.lower())]
        ranking = [comparison.per_variant(variant.slug, name).mean for name in ("noise_auroc", "noise_ap")]
        cells += [Cell(decimal(value), known(value)) for value in ranking]
        cells += [Cell(percent(value), known(value)) for value in (precision, recall)]
        cells.append(Cell(amount(missed), known(missed)))
        lines.append(Line(cells, variant.method))
    columns = [
        Column("Variant", "the method and its ensemble", words=True),
        Column("AUROC", "chance that a wrong label scores lower than a right one"),
        Column("AP", "average precision"),
        Column("Precision %", "share of the inspected examples that are wrong"),
        Column("Recall %", "share of the wrong labels that are inspected"),
        Column("False negatives", "wrong labels that are not among the inspected, mean over seeds"),
    ]
    caption = (
        f"Wrong labels found when as many examples are inspected as are wrong ({amount(float(n_wrong.mean()))}, lowest "
        "scores first); precision and recall are then the same number"
    )
    return Table("detection-table", caption, columns, lines).without_empty_columns()


def agreement_table(agreement: Agreement | None) -> Table | None:
    """The numbers of the heatmap, each with its range over seeds."""
    if agreement is None:
        return None
    columns = [Column("Method", "the method", words=True)]
    columns += [Column(variant.marked, f"Spearman's correlation with {variant.label}") for variant in agreement.shown]
    lines = [
        Line(
            [Cell(row.marked, row.label.lower()), *(_correlation(agreement, row, column) for column in agreement.shown)]
        )
        for row in agreement.shown
    ]
    seeds = f"mean over {agreement.n_seeds} seeds, range below" if agreement.n_seeds > 1 else "1 seed"
    return Table("agreement-table", f"Spearman's correlation of each two methods' scores ({seeds})", columns, lines)


def _correlation(agreement: Agreement, row: ReportedVariant, column: ReportedVariant) -> Cell:
    place = (row.slug, column.slug)
    low, high = agreement.lowest.loc[place], agreement.highest.loc[place]
    note = f"{signed(low)} to {signed(high)}" if row != column and agreement.n_seeds > 1 else ""
    value = float(agreement.matrix.loc[place])
    return Cell(signed(value), known(value), note)


def class_table(classes: ClassChanges | None, comparison: Comparison) -> Table | None:
    """Every class: its accuracy with nothing treated and the changes, each with its interval."""
    if classes is None:
        return None
    part, words = share(classes.treatment.fraction), comparison.actions[classes.treatment.action]
    columns = [
        Column("Class", "name of the class", words=True),
        Column("Before %", f"test accuracy with nothing {words.participle}"),
    ]
    columns += [
        Column(
            variant.marked,
            f"change against no {words.noun}, {'nothing' if variant.baseline else part} {words.participle}",
        )
        for variant in classes.shown
    ]
    lines = [
        Line(
            [Cell(name, name.lower()), Cell(percent(classes.before[index]), known(classes.before[index]))]
            + [_change(classes.changes[variant.slug, index]) for variant in classes.shown]
        )
        for index, name in classes.names.items()
    ]
    caption = f"Change of each class's test accuracy, {part} {words.participle}, against no {words.noun}, in points, "
    return Table("class-table", f"{caption}paired by seed", columns, lines)


def _change(change: Estimate) -> Cell:
    tone = tone_of(change)
    shade = 0.0 if tone == "unclear" else 0.4
    return Cell(points(change.mean), known(change.mean), points_interval(change), tone, shade)


def missing_table(comparison: Comparison) -> Table | None:
    """What was to be evaluated and is not: variants that lack the same seeds for the same reason share a line."""
    if not comparison.missing:
        return None
    seeds: dict[tuple[str, str], list[int]] = {}
    for cell in comparison.missing:
        seeds.setdefault((cell.variant, cell.reason), []).append(cell.seed)
    alike: dict[tuple[str, str], list[str]] = {}
    for (variant, reason), numbers in sorted(seeds.items()):
        alike.setdefault((seed_numbers(numbers), reason), []).append(variant)
    columns = [
        Column("Reason", "what the job that failed said", words=True),
        Column("Seeds", "the seeds that are missing", words=True),
        Column("Variants", "the names of their files", words=True),
    ]
    lines = [
        Line([Cell(reason, reason), Cell(which, which), Cell(listed(variants), variants[0])])
        for (which, reason), variants in alike.items()
    ]
    return Table("missing-table", "Variants and seeds that are not evaluated, with the reason", columns, lines)
