"""traker: TRAK with one model and 512 dimensions, with its pure torch projector; damped and without projection where
gradients are short.
"""

import shutil

import torch
from problem import SMALL, Problem, main
from torch import Tensor
from trak import TRAKer
from trak.projectors import AbstractProjector, BasicProjector, NoOpProjector, ProjectionType

from heft.kernels.layers.norms import squared_gradient_norms
from heft.methods.trak import log_odds

REQUIREMENT = "traker==0.3.2"


def trak(problem: Problem) -> Tensor:
    """Mean score over validation examples."""
    target = problem.folder / "traker"
    shutil.rmtree(target, ignore_errors=True)
    n, m = len(problem.train[0]), len(problem.validation[0])
    projector, damping = projector_and_damping(problem)
    traker = TRAKer(
        model=problem.model,
        task="image_classification",
        train_set_size=n,
        save_dir=str(target),
        device="cpu",
        projector=projector,
        proj_dim=projector.proj_dim,
        lambda_reg=damping,
        use_half_precision=False,
        logging_level=50,
    )
    traker.load_checkpoint(problem.state, model_id=0)
    for batch in problem.loader(100):
        traker.featurize(batch=batch, num_samples=len(batch[0]))
    traker.finalize_features()
    traker.start_scoring_checkpoint("bench", problem.state, model_id=0, num_targets=m)
    for batch in problem.validation_loader(100):
        traker.score(batch=batch, num_samples=len(batch[0]))
    return torch.as_tensor(traker.finalize_scores("bench")).float().mean(dim=1)


def projector_and_damping(problem: Problem) -> tuple[AbstractProjector, float]:
    """For the small model none, and a tenth of the mean diagonal entry of the kernel."""
    n_parameters, device = sum(parameter.numel() for parameter in problem.model.parameters()), torch.device("cpu")
    if problem.name == SMALL:
        squares = squared_gradient_norms(problem.model, problem.state, *problem.train, loss=log_odds).sum()
        projector = NoOpProjector(grad_dim=n_parameters, proj_dim=n_parameters, device=device)
        return projector, 0.1 * float(squares) / n_parameters**2
    projector = BasicProjector(
        grad_dim=n_parameters,
        proj_dim=512,
        seed=0,
        proj_type=ProjectionType.normal,
        device=device,
        block_size=100,
        dtype=torch.float32,
    )
    return projector, 0.0


METHODS = {"trak": trak}

if __name__ == "__main__":
    main(METHODS)
