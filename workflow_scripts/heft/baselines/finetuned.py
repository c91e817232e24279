"""finetuned: nothing is removed; the base model is trained further on the trusted labels of the validation split."""

from torch import Tensor

from heft.baselines.declare import BaselineContext, baseline
from heft.training.fine_tuning import fine_tune


@baseline(
    title="Fine-tuned",
    paper="none: what a person with a few trusted labels would do first",
    does="Removes nothing; trains the base model further on the validation split (settings: fine_tuning).",
    trains_on_validation=True,
)
def finetuned(context: BaselineContext) -> dict[str, Tensor]:
    """The base model after `fine_tuning.epochs` epochs on validation at the constant rate of `fine_tuning`."""
    trained = fine_tune(
        context.spec,
        context.base,
        context.validation,
        context.training,
        context.fine_tuning,
        context.seeds,
        may_diverge=True,  # which its row of the comparison then says
    )
    run = trained.checkpoints.runs[0]
    return run.states[max(run.states)].state
