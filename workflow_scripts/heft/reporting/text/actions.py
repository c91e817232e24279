"""Sentences about what is done with the lowest-scored examples, for how to read the report and for its limits."""

from collections.abc import Sequence

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.treatment import Action, Treatment
from heft.reporting.wording import share

RECIPE = "same initialisation, same batch order, same number of steps"


def opening(words: str) -> str:
    """Words at the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def third_person(verb: str) -> str:
    """remove -> removes, fix -> fixes."""
    return f"{verb}es" if verb.endswith(("s", "x", "z", "ch", "sh")) else f"{verb}s"


def ranked_lowest(label: str, fraction: float) -> str:
    """Which examples are acted on; an action that takes no fraction sees the scores of all."""
    if fraction == 1:
        return f"all training examples by the scores of {label}"
    return f"the {share(fraction)} of training examples that {label} ranks lowest"


def at_random(action: Action, fraction: float) -> str:
    """The same by random scores: `removing a random 30 %`."""
    part = "all training examples by random scores" if fraction == 1 else f"a random {share(fraction)}"
    return f"{action.gerund} {part}"


def at(action: Action, fraction: float) -> str:
    """`at 30 % removed`."""
    return f"{'with all training examples' if fraction == 1 else f'at {share(fraction)}'} {action.participle}"


def share_treated(comparison: Comparison, treatment: Treatment) -> str:
    """30 %; where there are several actions, 30 % relabelled."""
    part = share(treatment.fraction)
    return f"{part} {comparison.actions[treatment.action].participle}" if comparison.several else part


def explained(actions: Sequence[Action]) -> list[tuple[str, str]]:
    """(what, sentences) of each action, for a person who has not met it."""
    return [(f"{opening(action.participle)}, retrained", _explanation(action)) for action in actions]


def treated_means(actions: Sequence[Action]) -> str:
    """What the word for all actions together means; empty where there is one."""
    words = [action.participle for action in actions]
    return "" if len(words) < 2 else f"{', '.join(words[:-1])} or {words[-1]}, as the action says."


def limits(actions: Sequence[Action]) -> list[str]:
    """What each action leaves open."""
    return list(dict.fromkeys(sentence for action in actions for sentence in _limits(action)))


def _explanation(action: Action) -> str:
    if "kept" in action.changes:
        return (
            f"The lowest-scored fraction leaves the training set and the model is trained again: {RECIPE}. "
            f"{opening(action.participle)} examples keep their slot with weight 0."
        )
    return f"{action.does} The model is trained again: {RECIPE}."


def _limits(action: Action) -> list[str]:
    become = "leave" if "kept" in action.changes else "change"
    said = [
        f"{opening(action.gerund)} many examples by one score is a coarse use of a local estimate: what is best to "
        f"{action.verb} changes as examples {become}."
    ]
    if "label" in action.changes:
        said.append("A changed label is wrong if the prediction that it was taken from is wrong.")
    return said
