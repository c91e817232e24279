"""What the configuration no longer asks for, told by the wildcards of a file or by the key of a tracked run.

What Heft writes has a shape: the path of an output or a log of a rule, with wildcards in braces. A file that has none
of these shapes is not Heft's, and is never named here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from heft.workflow.planning.auxiliary import all_groups
from heft.workflow.planning.encoding import features_asked
from heft.workflow.planning.held_out import asked_by_all
from heft.workflow.planning.paths import FEATURES, KIND, folder_of_kind
from heft.workflow.planning.plan import Plan
from heft.workflow.tracking.records import FORMER_STAGES

SLUG = r"[A-Za-z0-9_.\-]+"
# `m` a scorer, `v` a variant, `file` anything in a folder that is the output of a rule.
WILDCARDS = {
    **{"e": "[a-z0-9_]+", "kind": KIND, "m": SLUG, "v": SLUG, "file": "[^/]+"},
    **dict.fromkeys(("s", "g", "n"), "[0-9]+"),
}
# Shapes of what an older version of Heft wrote: nothing asks for it any more.
FORMER_SHAPES = (
    "results/{e}/seed{s}/members/{kind}/group{g}/{file}",
    "logs/{e}/seed{s}/members/{kind}-group{g}.log",
    "results/{e}/seed{s}/out_of_fold/{file}",
    "logs/{e}/seed{s}/out_of_fold.log",
)
FORMER = "made by an older version"
# What a run of further models is of, and one of their predictions.
_OF_MODELS = {
    **dict.fromkeys([*FORMER_STAGES, *FORMER_STAGES.values()], re.compile(rf"(?P<kind>{KIND}) group(?P<g>[0-9]+)")),
    "out_of_fold": re.compile(rf"(?P<kind>{KIND}) models(?P<n>[0-9]+)"),
}


def planned_names(plan: Plan) -> dict[str, dict[str, list[str]]]:
    """{experiment: {wildcard: values}} of what a plan asks for; `kind/g` are groups of further trained models, `kind/n`
    numbers of them whose predictions actions need."""
    names = {}
    for name, experiment in plan.experiments.items():
        groups = [
            f"{folder_of_kind(kind)}/{group}" for kind, numbers in all_groups(experiment).items() for group in numbers
        ]
        names[name] = {
            "s": [str(seed) for seed in experiment.settings.seeds],
            "m": list(experiment.scorers),
            "v": plan.variants(name),
            "kind/g": sorted(groups),
            "kind/n": [f"{folder_of_kind(held_out.kind)}/{held_out.n}" for held_out in asked_by_all(experiment)],
            "encoder": features_asked(plan, name),
        }
    return names


@dataclass(frozen=True)
class Planned:
    """What is asked for (`names`, see `planned_names`), and the shapes of all files that rules write."""

    names: Mapping[str, Mapping[str, Collection[str]]]
    shapes: Collection[str]

    def of_file(self, path: str) -> str:
        """What a file was made for that is no longer asked for; empty where it is, or where the file has no shape."""
        reasons = [self._unplanned(wildcards) for wildcards in _matches(self.shapes, path)]
        reasons += [f"{wildcards['e']}, {FORMER}" for wildcards in _matches(FORMER_SHAPES, path)]
        return reasons[0] if reasons and all(reasons) else ""

    def has_shape(self, path: str) -> bool:
        """Whether a rule writes files of such a path, or did so in an older version."""
        return bool(_matches((*self.shapes, *FORMER_SHAPES), path))

    def of_run(self, key: str) -> str:
        """What a tracked run (`records.run_key`) was made for that is no longer asked for; empty where it is."""
        experiment, stage, wildcards = _parts(key)
        former = stage in FORMER_STAGES.values() or (stage == "out_of_fold" and "kind" not in wildcards)
        return f"{experiment}, {FORMER}" if former else self._unplanned(wildcards)

    def has_made_file(self, path: str) -> bool:
        """Whether a file was asked for, by this version or by an older one."""
        matches = _matches((*self.shapes, *FORMER_SHAPES), path)
        return not matches or not all(self._unplanned(wildcards) for wildcards in matches)

    def asks_for_features(self, encoder: str) -> bool:
        """Whether an experiment asks for features of an encoder (see `features_asked`)."""
        return any(encoder in names.get("encoder", ()) for names in self.names.values())

    def has_made_run(self, key: str) -> bool:
        """Whether a tracked run was asked for, by this version or by an older one."""
        return not self._unplanned(_parts(key)[2])

    def _unplanned(self, wildcards: Mapping[str, str]) -> str:
        """The first of experiment, seed, further models, predictions, scorer and variant that is not asked for."""
        experiment = wildcards.get("e")
        if not experiment:
            return ""
        if experiment not in self.names:
            return f"experiment {experiment}"
        names = self.names[experiment]
        # A configuration that an older version noted says nothing of encoders.
        if "of_encoder" in wildcards and not names.get("encoder", ("unknown",)):
            return f"{experiment}, features of an encoder"
        if "s" in wildcards and wildcards["s"] not in names["s"]:
            return f"{experiment}, seed {wildcards['s']}"
        if "g" in wildcards and f"{wildcards['kind']}/{wildcards['g']}" not in names["kind/g"]:
            return f"{experiment}, {wildcards['kind']} group {wildcards['g']}"
        # A configuration that an older version noted has no such predictions.
        if "n" in wildcards and f"{wildcards['kind']}/{wildcards['n']}" not in names.get("kind/n", ()):
            return f"{experiment}, predictions of {wildcards['n']} {wildcards['kind']}"
        for wildcard in ("m", "v"):
            if wildcard in wildcards and wildcards[wildcard] not in names[wildcard]:
                return f"{experiment}, {wildcards[wildcard]}"
        return ""


def _parts(key: str) -> tuple[str, str, dict[str, str]]:
    """Experiment and stage of a tracked run, and the wildcards of the files that its job writes."""
    experiment, *parts = key.split("/")
    wildcards = {"e": experiment} | ({"of_encoder": ""} if parts == ["encode"] else {})
    if parts and re.fullmatch("seed[0-9]+", parts[0]):
        wildcards["s"] = parts.pop(0).removeprefix("seed")
    stage, what = [*parts, "", ""][:2]
    if what and stage in _OF_MODELS:
        match = _OF_MODELS[stage].fullmatch(what)
        wildcards |= match.groupdict() if match else {}
    elif what:
        wildcards["m" if stage == "score_members" else "v"] = what
    return experiment, stage, wildcards


def _matches(shapes: Iterable[str], path: str) -> list[dict[str, str]]:
    """The wildcards of a path, by each shape that it has."""
    matches = ((shape, re.fullmatch(_pattern(shape), path)) for shape in shapes)
    return [match.groupdict() | _of_encoder(shape) for shape, match in matches if match]


def _of_encoder(shape: str) -> dict[str, str]:
    """What marks the files of features among the wildcards."""
    return {"of_encoder": ""} if shape.startswith((f"{FEATURES}/", "logs/{e}/encode.")) else {}


def _pattern(shape: str) -> str:
    """A shape as a regular expression; a wildcard that stands there again is the same text."""
    parts = re.split(r"\{(\w+)\}", shape)
    pattern = re.escape(parts[0])
    for index in range(1, len(parts), 2):
        name = parts[index]
        again = name in parts[1:index:2]
        pattern += f"(?P={name})" if again else f"(?P<{name}>{WILDCARDS[name]})"
        pattern += re.escape(parts[index + 1])
    return pattern
