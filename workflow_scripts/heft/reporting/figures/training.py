"""The figure of the training curves."""

import pandas as pd
import seaborn as sns

from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.labels import label_ends
from heft.reporting.text import takeaways


def draw_training(history: pd.DataFrame, noise_rate: float | None) -> Picture | None:
    """Loss and accuracy of the base models by epoch: a thin line a seed, the mean strong."""
    if history.empty:
        return None
    figure = new_figure(9.2, 3.4)
    panels = figure.subplots(1, 2)
    base = history[history["run"] == history["run"].min()] if "run" in history else history
    for axes, quantity, factor in zip(panels, ("loss", "accuracy"), (1, 100), strict=True):
        ends = []
        for split, colour, dash in (("train", "#0072B2", "-"), ("validation", "#B84A00", (0, (4, 1.5)))):
            column = f"{split}_{quantity}"
            if column not in base or base[column].isna().all():
                continue
            thin = {"color": colour, "alpha": 0.25, "linewidth": 0.9, "estimator": None}
            for _, of_seed in base.groupby("seed"):
                sns.lineplot(x=of_seed["epoch"], y=factor * of_seed[column], ax=axes, **thin)
            mean = factor * base.groupby("epoch")[column].mean()
            sns.lineplot(
                x=mean.index, y=mean.values, ax=axes, color=colour, linewidth=2.4, linestyle=dash, estimator=None
            )
            ends.append((float(mean.iloc[-1]), split, colour))
        axes.set(xlabel="epoch", ylabel="loss" if quantity == "loss" else "accuracy (%)")
        label_ends(axes, ends)
    title = "Loss and accuracy of the base models by epoch"
    description = (
        "Training and validation loss (left) and accuracy (right) by epoch; thin lines are seeds, strong ones "
        "means; validation is dashed."
    )
    return to_picture(figure, "training", title, takeaways.of_training(base, noise_rate), description)
