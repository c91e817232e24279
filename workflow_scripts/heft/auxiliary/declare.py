"""The decorator that registers a kind of further trained models; without torch."""

from collections.abc import Callable
from typing import TypeVar

Registered = TypeVar("Registered")


def auxiliary(
    *,
    gives: str,
    need: str = "",
    models: int | str = 1,
    group_size: int = 1,
    first_is_base: bool = False,
    continues: str = "",
    fine_tuning: bool = False,
    trains_on_validation: bool = False,
    keeps: tuple[str, ...] = ("final",),
    final: str = "",
    holds_out_each_once: bool = False,
) -> Callable[[type[Registered]], type[Registered]]:
    """Registers a class `Auxiliary` (`training.py`); the keywords are literals, read without importing its file.

    gives: what a method gets, in words. need: what a method, or an action, writes into its `needs` to get it; empty
    where only the members of ensembles ask for it. models: how many a member has, or the name of the option that says
    so. group_size: how many are trained in one job. first_is_base: whether number 0 is the trained model itself.
    continues: the kind from whose models these go on, number by number; empty where they start anew.
    fine_tuning: whether the settings `fine_tuning` say how they are trained. trains_on_validation: validation cannot
    judge then what is made with them. keeps: roles of the states that outlive training (`training/checkpoints.py`).
    final: `last` or `best` epoch, whatever the experiment's settings say; empty: as these say.
    holds_out_each_once: whether the models of a member together hold out each example once, which is then checked.
    """
    return lambda registered: registered
