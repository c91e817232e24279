"""traker: TRAK with one model and 512 dimensions, with its pure torch projector; damped and without projection where
gradients are short.
"""

import shutil

import torch
from problem import SMALL, Problem, main
from torch import Tensor
from trak import TRAKer
from trak.projectors import AbstractProjector, BasicProjector, NoOpProjector, ProjectionType

REQUIREMENT = "traker==0.3.2"


def trak(problem: Problem) -> Tensor:
    """Mean score over validation examples."""
    target = problem.folder / "traker"
    shutil.rmtree(target, ignore_errors=True)
    n, m = len(problem.train[0]), len(problem.validation[0])
    projector = projector_for(problem)
    traker = TRAKer(
        model=problem.model,
        task="image_classification",
        train_set_size=n,
        save_dir=str(target),
        device="cpu",
        projector=projector,
        proj_dim=projector.proj_dim,
        lambda_reg=problem.trak_damping if problem.name == SMALL else 0.0,
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


def projector_for(problem: Problem) -> AbstractProjector:
    """None for the small model."""
    grad_dim = sum(parameter.numel() for parameter in problem.model.parameters())
    device = torch.device("cpu")
    if problem.name == SMALL:
        return NoOpProjector(grad_dim=grad_dim, proj_dim=grad_dim, device=device)
    return BasicProjector(
        grad_dim=grad_dim,
        proj_dim=512,
        seed=0,
        proj_type=ProjectionType.normal,
        device=device,
        block_size=100,
        dtype=torch.float32,
    )


METHODS = {"trak": trak}

if __name__ == "__main__":
    main(METHODS)
