"""Random projections, TRAK and GEX against their dense formulas in float64."""

import pytest
import torch
from influence_cases import case_of, close, gradient_rows, scores, validation_vector
from torch.func import functional_call

from heft.kernels.curvature.curvature_operator import flatten, unflatten


@pytest.mark.slow
def test_random_projection_is_unbiased_with_the_variance_it_says() -> None:
    case = case_of("mlp")
    exact, g, v = scores("ip", case.context()), gradient_rows(case), validation_vector(case)
    drawn = torch.stack([scores("random_projection", case.context(seed=seed), dimension=64) for seed in range(200)])
    variance = ((v @ v) * g.square().sum(1) + (g @ v).square()) / 64
    assert ((drawn.mean(0) - exact).abs() < 4 * (variance / 200).sqrt()).all()
    torch.testing.assert_close(drawn.var(0), variance, rtol=0.5, atol=0)


def test_random_projection_warns_where_noise_hides_the_scores() -> None:
    context = case_of("mlp").context()
    projected = scores("random_projection", context, dimension=2)
    g, v = gradient_rows(case_of("mlp")), validation_vector(case_of("mlp"))
    noise = (v @ v * g.square().sum(1).mean() / 2).sqrt()
    said = f"({noise:.2g}) is more than half the spread of the scores ({projected.std():.2g}); raise dimension, now 2"
    assert said in context.warnings[0]


def test_trak_is_its_dense_formula() -> None:
    case = case_of("mlp")
    dimension, parts, doubts = 8, [], []
    subsets = case.context().auxiliary_models("subsets")[:3]
    for number, (state, _) in enumerate(subsets):
        parameters, buffers = case.split(dict(state))
        like = dict(parameters)

        def margins(vector: torch.Tensor, buffers=buffers, like=like) -> torch.Tensor:  # type: ignore[no-untyped-def]
            logits = functional_call(case.model, {**unflatten(vector, like), **buffers}, (case.train.inputs,))
            p = logits.softmax(1).gather(1, case.train.labels[:, None])[:, 0]
            return (p / (1 - p)).log()

        jacobian = torch.func.jacrev(margins)(flatten(like))
        of_each = [
            torch.randn(
                dimension, t.numel(), generator=case.context().generator(f"trak/{number}/{name}/0"), dtype=t.dtype
            )
            for name, t in like.items()
        ]
        projection = torch.cat(of_each, dim=1) / len(flatten(like)) ** 0.5
        phi = jacobian @ projection.T
        kernel = phi.T @ phi
        kernel = kernel + 0.01 * kernel.diagonal().mean() * torch.eye(dimension, dtype=torch.float64)
        v = case.objective_gradient(dict(state))
        of_objective = projection @ flatten({name: v[name] for name in like})
        parts.append(phi @ torch.linalg.inv(kernel) @ of_objective)
        logits = functional_call(case.model, dict(state), (case.train.inputs,))
        doubts.append(1 - logits.softmax(1).gather(1, case.train.labels[:, None])[:, 0])
    expected = -torch.stack(doubts).mean(0) * torch.stack(parts).mean(0)
    context = case.context(auxiliary={"subsets": subsets})
    close(scores("trak", context, models=3, dimension=dimension), expected, 1e-6)


def test_trak_warns_of_a_dimension_near_the_number_of_examples() -> None:
    context = case_of("logistic").context()
    scores("trak", context, dimension=32, damping=0.1)
    assert "dimension 32 is more than half the 40 training examples" in context.warnings[0]


def test_gex_of_a_linear_trajectory_follows_ip() -> None:
    """Losses that move together with f over many short trajectories are those whose gradients point along that of f."""
    case = case_of("logistic")
    by_gex = scores("gex", case.context(), models=64, epochs=0.2, step_size=0.2, batch_size=4)
    g = gradient_rows(case)
    centred = g - g.mean(0)
    covariance = centred.T @ centred
    assert torch.corrcoef(torch.stack([by_gex, g @ covariance @ validation_vector(case)]))[0, 1] > 0.8


def test_gex_warns_where_all_trajectories_drift_alike() -> None:
    context = case_of("logistic").context(final=case_of("logistic").scaled(0.1))
    scores("gex", context, models=4, epochs=5, batch_size=20)
    assert "lower step_size or epochs" in context.warnings[0]
