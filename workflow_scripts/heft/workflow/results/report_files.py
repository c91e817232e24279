"""Which files of an experiment a report is made of: those of a `report` job, or those that a failed run left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heft.reporting.inputs import MissingCell
from heft.workflow.planning import paths


@dataclass(frozen=True)
class Sources:
    """The files of one experiment that a report is made of.

    configuration: the experiment's settings. actions: a name each, or {name: options that are not the default}.
    metrics: one file a variant and seed. history, facts, train: one file a seed. scores: one file a variant, for each
    seed. missing: what is not evaluated, and why. encoded: the manifest of the features, where there is an encoder.
    """

    experiment: str
    configuration: Mapping[str, Any]
    actions: Sequence[str | Mapping[str, Any]]
    metrics: Sequence[str]
    history: Mapping[int, str]
    facts: Mapping[int, str]
    train: Mapping[int, str]
    scores: Mapping[int, Sequence[str]]
    inputs: str
    manifest: str
    missing: Sequence[MissingCell] = ()
    encoded: str = ""


def sources_of(job: Any) -> Sources:
    """The files of a `report` job (Snakemake's `snakemake` object)."""
    seeds = job.params.configuration["seeds"]
    history, facts, train = (
        {paths.seed_of(file): file for file in files} for files in (job.input.history, job.input.facts, job.input.train)
    )
    return Sources(
        job.wildcards.e,
        job.params.configuration,
        job.params.actions,
        list(job.input.metrics),
        history,
        facts,
        train,
        {seed: [file for file in job.input.scores if paths.seed_of(file) == seed] for seed in seeds},
        job.input.inputs,
        job.input.manifest,
        encoded=str(job.input.encoded or ""),
    )


# longer: the list of the files of a run
def sources_there(asked: Mapping[str, Any]) -> Sources:
    """The files of an unfinished run: what is listed as missing is not read, even where an older one is there.

    asked: experiment, configuration, actions, variants {slug: its columns of the comparison table}, scored (slugs),
    missing ([seed, variant, reason] each).
    """
    experiment, variants = asked["experiment"], asked["variants"]
    missing = {(seed, variant): reason for seed, variant, reason in asked["missing"]}

    def there(seed: int) -> list[str]:
        return [variant for variant in variants if (seed, variant) not in missing]

    seeds = [seed for seed in asked["configuration"]["seeds"] if there(seed)]
    facts, history, train = (
        {seed: path.format(e=experiment, s=seed) for seed in seeds}
        for path in (paths.SPLIT_FACTS, paths.HISTORY, paths.SPLITS["train"])
    )
    return Sources(
        experiment,
        asked["configuration"],
        asked["actions"],
        [paths.METRICS.format(e=experiment, s=seed, v=variant) for seed in seeds for variant in there(seed)],
        history,
        facts,
        train,
        {
            seed: [
                paths.SCORES.format(e=experiment, s=seed, v=variant)
                for variant in there(seed)
                if variant in asked["scored"]
            ]
            for seed in seeds
        },
        paths.INPUTS.format(e=experiment),
        paths.MANIFEST.format(e=experiment),
        [
            MissingCell(
                seed,
                variant,
                variants[variant]["method"],
                reason,
                variants[variant]["ensemble"],
                variants[variant]["members"],
                variants[variant]["options"],
            )
            for (seed, variant), reason in missing.items()
        ],
        paths.ENCODED_MANIFEST.format(e=experiment) if asked["configuration"].get("encoder") else "",
    )
