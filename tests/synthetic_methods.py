"""Made-up methods and a baseline, as their files would declare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# method -> (AUROC, gain in accuracy at the noise rate, forward passes)
METHODS = {
    "random": (0.50, -0.024, 0.0),
    "oracle": (1.00, 0.123, 0.0),
    "loss": (0.884, 0.022, 1.0),
    "margin": (0.861, 0.018, 1.0),
    "el2n": (0.945, 0.058, 5.0),
    "ip": (0.975, 0.098, 4.3),
    "tracin": (0.958, 0.085, 21.0),
    "if_cg": (0.912, 0.061, 107.0),
    "forgetting": (0.871, 0.031, 0.2),
    "aum": (0.966, 0.092, 0.2),
    "confident_learning": (0.931, 0.071, 45.0),
    "self_ip": (0.889, 0.020, 4.1),
    "grad_cos": (0.953, 0.079, 4.5),
    "trusted_loss": (0.969, 0.094, 14.0),
}


@dataclass(frozen=True)
class Option:
    annotation: str
    default: Any


@dataclass(frozen=True)
class Declared:
    """What `heft.registry.Declaration` offers to the legend."""

    name: str
    docstring: str
    fields: Mapping[str, Any]
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        return self.docstring.partition("\n")[0].removeprefix(f"{self.name}: ")


def declared(name: str, formula: str, paper: str, needs: tuple[str, ...], title: str = "", **options: Any) -> Declared:
    fields: dict[str, Any] = {
        "formula": formula,
        "paper": paper,
        "predicts": "the change of the objective by one gradient step on the example",
        "needs": needs,
        "ensemble": name not in ("random", "oracle"),
    }
    if title:
        fields["title"] = title
    docstring = f"{name}: says of each training example how much it helps.\n\nLow is detrimental."
    return Declared(name, docstring, fields, {key: Option("float", value) for key, value in options.items()})


def methods() -> dict[str, Declared]:
    further = ("forgetting", "aum", "confident_learning", "self_ip", "grad_cos")
    return {
        **{name: declared(name, "", "", ("dynamics",)) for name in further},
        "trusted_loss": declared(
            "trusted_loss", "l_i(θ_v) - l_i(θ)", "", ("final", "fine_tuned"), title="Trusted loss"
        ),
        "el2n": declared("el2n", "-|p - onehot(y)|_2", "Paul et al. 2021, arXiv 2107.07075", ("early",)),
        "if_cg": declared(
            "if_cg",
            "v^T (G + λI)^-1 g_i",
            "Koh & Liang 2017",
            ("final", "validation"),
            title="Influence (CG)",
            damping=0.1,
        ),
        "ip": declared("ip", "<grad f(θ), grad l_i(θ)>", "Charpiat et al. 2019, eq. 4", ("final", "validation")),
        "loss": declared("loss", "-l_i(θ)", "", ("final",)),
        "margin": declared("margin", "z_y - max_{k≠y} z_k", "", ("final",)),
        "oracle": declared("oracle", "wrong labels lowest", "", ("true_labels",)),
        "random": declared("random", "uniform", "", ()),
        "tracin": declared("tracin", "sum_t η_t <v(θ_t), g_i(θ_t)>", "Pruthi et al. 2020", ("spaced", "validation")),
    }


def baselines() -> dict[str, Declared]:
    fields = {
        "title": "Fine-tuned",
        "paper": "what a person would do first",
        "does": "Trains the base model further on the validation split.",
        "trains_on_validation": True,
    }
    return {"finetuned": Declared("finetuned", "finetuned: trains further.", fields)}
