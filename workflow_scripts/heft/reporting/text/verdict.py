"""The answer: which variant validation picks, what its differences say, and the sentences of the first screen."""

from dataclasses import dataclass

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.other_trainings import Rival, rivals_untreated
from heft.reporting.analysis.outcome import Choice, Outcome, choose, classify
from heft.reporting.text.sentences import caution, ceiling, chosen_how, detection, evidence, headline


@dataclass(frozen=True)
class Verdict:
    """Sentences for the first screen; None where there is nothing to say.

    gain, over_random: the paired differences behind them. rivals: what other trainings, which act on no example, reach.
    """

    outcome: Outcome
    headline: str
    evidence: str
    choice: Choice | None = None
    chosen_how: str | None = None
    caution: str | None = None
    detection: str | None = None
    ceiling: str | None = None
    gain: Estimate | None = None
    over_random: Estimate | None = None
    rivals: tuple[Rival, ...] = ()


def judge(comparison: Comparison) -> Verdict:
    """The verdict of a comparison."""
    choice = choose(comparison)
    if choice is None or comparison.untreated.isna().all():
        unknown = f"{comparison.measure.short} of the unpruned model"
        lacking = "method that validation can judge" if choice is None else unknown
        return Verdict(Outcome.NOTHING, f"There is nothing to compare: the table holds no {lacking}.", "")
    slug, treatment = choice.variant.slug, choice.treatment
    gain, over_random = comparison.gain(slug, treatment), comparison.over_random(slug, treatment)
    p_none = comparison.corrected(treatment, "none")[slug]
    p_random = comparison.corrected(treatment, "random")[slug]
    outcome = classify(gain, over_random, p_none, p_random)
    return Verdict(
        outcome=outcome,
        headline=headline(outcome, comparison, choice),
        evidence=evidence(comparison, choice, (gain, p_none), (over_random, p_random)),
        choice=choice,
        chosen_how=chosen_how(comparison, choice),
        caution=caution(comparison, gain),
        detection=detection(comparison, choice.variant),
        ceiling=ceiling(comparison, choice),
        gain=gain,
        over_random=over_random,
        rivals=rivals_untreated(comparison, choice),
    )
