"""Paired differences: every arm against its labels, its clean arm, the first method, trusted fields, another noise."""

from collections.abc import Mapping, Sequence

from evaluation.report.pages import Section
from evaluation.report.tables import Style, Table
from noisylabels.experiments.curves import TEACHER, Arm, Contrast, contrast_arms, find_arm
from noisylabels.experiments.declaration import CLEAN, Method

Pair = tuple[Arm, Arm]
OF_METHODS = ("against_labels", "against_gold", "between_methods")
STYLES: Mapping[str, Style] = {"difference": "signed", "p (Holm)": "p"}


def teacher_contrasts(arms: Sequence[Arm], *, margin: float) -> list[Contrast]:
    """Every noisy arm against its own labels: above zero it generalises beyond them.

    Args:
        arms: What `score_arms` gave.
        margin: The difference in Dice that would not matter.
    """
    pairs = []
    for arm in _trained(arms):
        labels = find_arm(arms, noise=arm.noise, dose=arm.dose, method=TEACHER, n_train=arm.n_train)
        if arm.noise != CLEAN and labels is not None:
            pairs.append((arm, labels))
    return contrast_arms(pairs, margin=margin)


def contrast_section(
    arms: Sequence[Arm], against_labels: Sequence[Contrast], *, margin: float, methods: Mapping[str, Method]
) -> Section | None:
    """Show the differences of every noisy arm; p-values are adjusted within each table.

    Args:
        arms: What `score_arms` gave.
        against_labels: What `teacher_contrasts` gave.
        margin: The difference in Dice that would not matter.
        methods: The declared methods by name.
    """
    gold = pair_gold(arms, methods)
    compared = {
        ("against_labels", "Against the labels' own score"): against_labels,
        ("against_clean", "Against the clean arm of the same method"): contrast_arms(pair_clean(arms), margin=margin),
        ("against_gold", "Against as many trusted fields alone"): contrast_arms(gold, margin=margin),
        ("between_methods", "Against the first method"): contrast_arms(pair_methods(arms), margin=margin),
        ("between_noises", "Against another noise of the same dose"): contrast_arms(pair_noises(arms), margin=margin),
    }
    tables = tuple(_tabulate(name, title, found) for (name, title), found in compared.items() if found)
    lead = (
        "Differences in Dice on identical fields and identically corrupted labels. no harm: that it is not worse by "
        f"{margin} is shown (one-sided, at 5 %)."
    )
    return Section("contrasts", "Paired differences", lead, tables) if tables else None


def pair_clean(arms: Sequence[Arm]) -> list[Pair]:
    """Pair every noisy arm with the clean arm of its method."""
    pairs = []
    for arm in _trained(arms):
        clean = find_arm(arms, noise=CLEAN, dose=0.0, method=arm.method, n_train=arm.n_train)
        if arm.noise != CLEAN and clean is not None:
            pairs.append((arm, clean))
    return pairs


def pair_methods(arms: Sequence[Arm]) -> list[Pair]:
    """Pair every arm with that of the first method on the same labels."""
    trained = _trained(arms)
    first = {arm.method: None for arm in trained}
    pairs = []
    for arm in trained:
        baseline = find_arm(trained, noise=arm.noise, dose=arm.dose, method=next(iter(first)), n_train=arm.n_train)
        if baseline is not None and baseline is not arm:
            pairs.append((arm, baseline))
    return pairs


def pair_gold(arms: Sequence[Arm], methods: Mapping[str, Method]) -> list[Pair]:
    """Pair every noisy arm that sees trusted fields with the arm of as many trusted fields alone, declared anywhere.

    What trusted fields teach alone does not depend on the noise beside which it is declared.
    """
    trained = _trained(arms)
    golds = [arm for arm in reversed(trained) if methods[arm.method].use == "alone"]  # of several the first is taken
    alone = {(methods[arm.method].trusted, arm.n_train): arm for arm in golds}
    pairs = []
    for arm in trained:
        gold = alone.get((methods[arm.method].trusted, arm.n_train))
        if arm.noise != CLEAN and methods[arm.method].use != "alone" and gold is not None:
            pairs.append((arm, gold))
    return pairs


def pair_noises(arms: Sequence[Arm]) -> list[Pair]:
    """Pair every noisy arm with the noises before it at the same dose: is it structure that matters, or dose?"""
    noisy = [arm for arm in _trained(arms) if arm.noise != CLEAN]
    return [
        (arm, other)
        for place, arm in enumerate(noisy)
        for other in noisy[:place]
        if (arm.dose, arm.method, arm.n_train) == (other.dose, other.method, other.n_train)
    ]


def _trained(arms: Sequence[Arm]) -> list[Arm]:
    return [arm for arm in arms if arm.method != TEACHER]


def _tabulate(name: str, title: str, contrasts: Sequence[Contrast]) -> Table:
    rows = tuple(
        (
            c.arm.noise,
            c.arm.dose,
            "all" if c.arm.n_train is None else c.arm.n_train,
            c.arm.method,
            c.baseline.method if name in OF_METHODS else c.baseline.noise,
            c.difference,
            c.p_holm,
            "yes" if c.no_harm.not_inferior else "not shown",
        )
        for c in contrasts
    )
    heads = ("noise", "dose", "training fields", "method", "minus", "difference", "p (Holm)", "no harm")
    return Table(name, title, heads, rows, styles=STYLES, grouped=True)
