"""The figure of how alike methods rank the training examples."""

from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex

from heft.reporting.analysis.agreement import Agreement
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.palette import INK, contrast
from heft.reporting.text import takeaways
from heft.reporting.wording import signed


def draw_agreement(agreement: Agreement | None) -> Picture | None:
    """A heatmap of Spearman's correlations with each number in its cell."""
    if agreement is None:
        return None
    slugs, labels = zip(*((variant.slug, variant.marked) for variant in agreement.shown), strict=True)
    values = agreement.matrix.loc[list(slugs), list(slugs)].to_numpy()
    figure = new_figure(2.2 + 0.56 * len(slugs), 1.4 + 0.36 * len(slugs))
    axes = figure.subplots()
    # Blue to orange by way of white stays apart for colour-blind readers; the numbers say the same.
    colours, norm = colormaps["PuOr_r"], Normalize(-1, 1)
    axes.imshow(values, cmap=colours, norm=norm, aspect="auto")
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            behind = to_hex(colours(norm(value)))
            ink = max((INK, "#ffffff"), key=lambda colour: contrast(colour, behind))
            axes.text(column, row, signed(value), ha="center", va="center", fontsize=8.5, color=ink)
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor", color=INK)
    axes.set_yticks(range(len(labels)), labels, color=INK)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    scale = figure.colorbar(ScalarMappable(norm, colours), ax=axes, shrink=0.6, ticks=[-1, -0.5, 0, 0.5, 1])
    scale.outline.set_visible(False)
    scale.set_label("Spearman's correlation")
    description = (
        "A square for each two plain methods with Spearman's correlation of their scores over the training examples: "
        "1 where they rank alike, 0 where they have nothing in common, −1 where they rank the other way round. "
        "Methods that rank alike stand beside each other."
    )
    takeaway = takeaways.of_agreement(list(agreement.shown), agreement.matrix, agreement.n_seeds)
    return to_picture(figure, "agreement", "How alike methods rank the training examples", takeaway, description)
