"""What is to be known of the splits of one seed: for `facts.json`, the log and the report."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from heft.data.duplicates import conflicting_duplicates
from heft.data.settings import SPLITS, DataSettings
from heft.data.sizes import asked_sizes, named
from heft.data.taking_part import TakingPart, near_duplicates_of, taking_part
from heft.data.trust import guiding, sentence_on_guides
from heft.pseudonyms import with_pseudonyms

SHOWN = 3


# longer: the list of what facts.json holds
def split_facts(
    examples: pd.DataFrame,
    splits: dict[str, pd.DataFrame],
    settings: DataSettings,
    seed: int,
    class_names: Sequence[str],
) -> dict[str, Any]:
    """Sizes, noise, what varies over seeds, and what a person may not expect of the splits.

    rate: of planted noise. n_wrong: training labels known to be wrong, planted or not; None where that is not known.
    asked: the sizes that the configuration asks for. duplicates: of identical examples, how many repeat another one,
    which take part, and how many do not. conflicting_duplicates, near_duplicates: sets of examples, as their ids and
    labels. leaked: id, like (the id that it repeats) and because, of examples for training that a split of the data
    set's own repeats. absent_classes: of each split. trusted: how many of each split are; None where nothing is known
    of it. n_guiding: examples of validation that methods look at. notes: sentences. shared_notes: the same sentences
    with pseudonyms of ids.
    """
    train = splits["train"]
    known = "true_label" in train
    part = taking_part(examples, settings)
    facts = {
        "seed": seed,
        "n": {name: len(splits[name]) for name in SPLITS},
        "asked": _asked(part, settings),
        "noise": settings.noise.kind,
        "rate": settings.noise.rate if settings.noise.kind != "none" else 0.0,
        "n_wrong": int((train["label"] != train["true_label"]).sum()) if known else None,
        "resample": list(settings.resample),
        "duplicates": {
            "taking_part": settings.duplicates or "one",
            "n_copies": len(examples) - examples["content_hash"].nunique(),
            "n_left_out": part.n_left_out,
        },
        "conflicting_duplicates": conflicting_duplicates(examples),
        "near_duplicates": near_duplicates(examples) if settings.near_duplicates else [],
        "trusted": {name: int(splits[name]["trusted"].sum()) for name in SPLITS} if "trusted" in train else None,
        "n_guiding": int(guiding(splits["validation"]).sum()),
        "leaked": part.leaked.to_dict("records"),
        "absent_classes": {
            name: sorted(set(range(len(class_names))) - set(splits[name]["label"].tolist())) for name in SPLITS
        },
    }
    guides = [sentence for sentence in [sentence_on_guides(splits["validation"])] if sentence]
    return facts | {
        "notes": [*_notes(facts, part, settings, class_names), *guides],
        "shared_notes": [*_notes(with_pseudonyms(facts), part, settings, class_names), *guides],
    }


def near_duplicates(examples: pd.DataFrame) -> list[dict[str, list[Any]]]:
    """Sets of near-duplicates, their identical copies included: `ids` and `labels`; by their first id."""
    ordered = examples.sort_values("id")
    number = near_duplicates_of(ordered).dropna()
    grouped = ordered.loc[number.index].groupby(number, sort=False)
    return [{"ids": group["id"].tolist(), "labels": group["label"].tolist()} for _, group in grouped]


def _asked(part: TakingPart, settings: DataSettings) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for parts, members in part.pools.items():
        sizes |= asked_sizes(settings, parts, int(members.sum()), part.n_left_out)
    return {name: sizes[name] for name in SPLITS}


def _notes(facts: dict[str, Any], part: TakingPart, settings: DataSettings, class_names: Sequence[str]) -> list[str]:
    """Sentences for the log and the report; none where all is as asked."""
    notes = _on_copies(facts["duplicates"], part)
    if near := facts["near_duplicates"]:
        shown = [" ~ ".join(_cut(entry["ids"])) for entry in near]
        kept = "" if "split" in part.examples else "Each set stays in one split; "
        notes.append(
            f"{_counted(len(near), 'set')} of near-duplicates, {sum(len(entry['ids']) for entry in near):,} examples: "
            f"{', '.join(_cut(shown))}. {kept}facts.json beside the splits lists all of "
            "them."
        )
    if leaked := facts["leaked"]:
        shown = [f"{entry['id']} ({entry['because']}: {entry['like']})" for entry in leaked]
        held = "is" if len(leaked) == 1 else "are"
        where = f"{held} left out" if settings.leave_out_leaked else f"{held} trained on (data.leave_out_leaked: false)"
        notes.append(
            f"{_counted(len(leaked), 'example')} for training that the data set's own validation or test split repeats "
            f"{where}: {', '.join(_cut(shown))}; facts.json beside the splits lists all of them."
        )
    others = [f"{name} {n} ({facts['asked'][name]})" for name, n in facts["n"].items() if n != facts["asked"][name]]
    if others:
        notes.append(
            f"Groups and sets of duplicates stay whole, so sizes are not those asked for: {', '.join(others)}."
        )
    counts = part.examples["label"].value_counts()
    for label in sorted({label for labels in facts["absent_classes"].values() for label in labels}):
        absent = [name for name in SPLITS if label in facts["absent_classes"][name]]
        learnt = " Models cannot learn it." if "train" in absent else ""
        notes.append(
            f"Class {named(label, class_names)}, with {_counted(int(counts.get(label, 0)), 'example')} that take part, "
            f"has none in {' and '.join(absent)}; means over classes leave it out there.{learnt}"
        )
    return notes


def _on_copies(duplicates: Mapping[str, Any], part: TakingPart) -> list[str]:
    """How many examples repeat another one; none where there are no such."""
    if not (n_copies := duplicates["n_copies"]):
        return []
    counted = f"{_counted(n_copies, 'example')} {'repeats' if n_copies == 1 else 'repeat'} the content of another one"
    if duplicates["taking_part"] == "together":
        kept = "" if "split" in part.examples else " Identical ones stay in one split."
        return [f"{counted}; that alone leaves none of them out (data.duplicates: together).{kept}"]
    return [f"{counted}, of which {duplicates['n_left_out']:,} take no part for that (data.duplicates: one)."]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _cut(shown: Sequence[str]) -> list[str]:
    return [*shown[:SHOWN], *(["..."] if len(shown) > SHOWN else [])]
