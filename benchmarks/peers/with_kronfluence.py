"""kronfluence: identity (IP), K-FAC and EK-FAC; query gradients are summed before they are preconditioned."""

import copy
import shutil
from functools import partial

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.task import Task
from problem import Problem, main
from torch import Tensor, nn
from torch.nn import functional

REQUIREMENT = "kronfluence==1.0.1"


class Classification(Task):
    """Cross-entropy; labels are drawn from the model for the Fisher matrix."""

    def compute_train_loss(self, batch: tuple[Tensor, Tensor], model: nn.Module, sample: bool = False) -> Tensor:
        """Summed loss."""
        inputs, labels = batch
        logits = model(inputs)
        if sample:
            with torch.no_grad():
                labels = torch.multinomial(logits.detach().softmax(dim=-1), 1).flatten()
        return functional.cross_entropy(logits, labels, reduction="sum")

    def compute_measurement(self, batch: tuple[Tensor, Tensor], model: nn.Module) -> Tensor:
        """The same on validation data."""
        return self.compute_train_loss(batch, model)


def scores(strategy: str, problem: Problem) -> Tensor:
    """Factors, then scores against the sum over validation examples."""
    task = Classification()
    model = prepare_model(copy.deepcopy(problem.model), task)
    target = problem.folder / "kronfluence"
    shutil.rmtree(target, ignore_errors=True)
    analyzer = Analyzer("bench", model, task, cpu=True, output_dir=str(target), disable_tqdm=True)
    train, validation = problem.loader(1).dataset, problem.validation_loader(1).dataset
    if strategy != "identity":
        analyzer.fit_all_factors(
            "factors",
            train,
            per_device_batch_size=256,
            factor_args=FactorArguments(strategy=strategy),
            overwrite_output_dir=True,
        )
    else:
        analyzer.fit_all_factors("factors", train, factor_args=FactorArguments(strategy="identity"))
    analyzer.compute_pairwise_scores(
        "scores",
        "factors",
        validation,
        train,
        per_device_query_batch_size=250,
        per_device_train_batch_size=256,
        score_args=ScoreArguments(aggregate_query_gradients=True, damping_factor=None),  # a tenth of the mean
        overwrite_output_dir=True,
    )
    return analyzer.load_pairwise_scores("scores")["all_modules"][0]


METHODS = {
    "ip": partial(scores, "identity"),
    "if_kfac": partial(scores, "kfac"),
    "if_ekfac": partial(scores, "ekfac"),
}

if __name__ == "__main__":
    main(METHODS)
