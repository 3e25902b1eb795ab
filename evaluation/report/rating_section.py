"""The rating part of a report: what blinded experts prefer, how surely, and how far they agree."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from evaluation.experts.preferences import EVERYBODY, Preference, compare_subsets
from evaluation.experts.ratings import Ratings, score_table
from evaluation.report.canvas import Figure
from evaluation.report.distributions import draw_violins
from evaluation.report.pages import Check, Light, Section
from evaluation.report.tables import Cell, Style, Table, text_of
from evaluation.statistics.agreement import correlate_raters, krippendorff_alpha, weighted_kappa

KS_NOTE = (
    "The Kolmogorov-Smirnov test (KS, the paper's) ignores that both methods were rated on the same images, and tied "
    "scores make it cautious: with 20 images and a true shift of one point its power is about 5 %, where Wilcoxon's "
    "signed-rank test has 80 % (python -m benchmarks.rating_power). Read Wilcoxon's column; KS is for comparison."
)


def rating_section(ratings: Ratings, preferences: Sequence[Preference]) -> Section:
    """Report blinded ratings.

    Args:
        ratings: The scores.
        preferences: What `compare_ratings` found in them.
    """
    scores = {
        rater: {m: list(ratings.scores(rater=rater, method=m).values()) for m in ratings.methods}
        for rater in ratings.raters
    }
    items: tuple[Table | Figure | str, ...] = (
        draw_violins(scores),
        preference_table(preferences),
        certainty_table(preferences),
        KS_NOTE,
        agreement_table(ratings),
        *([subset_table(ratings)] if compare_subsets(ratings) else []),
    )
    lead = f"{len(ratings)} blinded scores from 1 to 10 by {len(ratings.raters)} raters."
    return Section("ratings", "Ratings", lead, items)


def preference_table(preferences: Sequence[Preference]) -> Table:
    """Tabulate how much a method is preferred."""
    rows = tuple(
        (
            f"{one.method} − {one.baseline}",
            one.rater,
            one.n,
            one.mean_baseline,
            one.mean_method,
            one.shift,
            one.delta,
            one.biserial,
        )
        for one in preferences
    )
    heads = ("pair", "rater", "images", "mean baseline", "mean method", "shift", "Cliff's delta", "rank-biserial")
    styles: dict[str, Style] = {"shift": "signed", "Cliff's delta": "signed", "rank-biserial": "signed"}
    note = (
        "shift: Hodges-Lehmann, in points; Cliff's delta: how often the later method wins less how often it loses; in "
        "brackets 95 % intervals over images: of the shift by inverting Wilcoxon's test, of delta by the jackknife. "
        "All raters: means over raters."
    )
    return Table("preferences", "How much better", heads, rows, note, _of_everybody(preferences), styles, grouped=True)


def certainty_table(preferences: Sequence[Preference]) -> Table:
    """Tabulate how surely a method is preferred."""
    rows = tuple(
        (
            f"{one.method} − {one.baseline}",
            one.rater,
            one.signed_rank_p,
            one.p_holm,
            one.sign_flip_p,
            one.mann_whitney_p,
            one.ks.statistic,
            one.ks.p,
        )
        for one in preferences
    )
    heads = ("pair", "rater", "Wilcoxon p", "p (Holm)", "sign-flip p", "Mann-Whitney p", "KS distance", "KS p")
    styles: dict[str, Style] = {head: "p" for head in heads[2:] if head.endswith("p") or "Holm" in head}
    note = (
        "Wilcoxon's signed ranks (Pratt's zeros) and sign flips are paired by image and exact; Mann-Whitney and KS "
        "ignore the pairing. Holm: Wilcoxon's p adjusted over all rows."
    )
    return Table("rating_tests", "How surely", heads, rows, note, _of_everybody(preferences), styles, grouped=True)


def agreement_table(ratings: Ratings) -> Table:
    """Tabulate how far raters agree, method by method and over all scores."""
    tables = {method: score_table(ratings, method=method) for method in ratings.methods}
    rows: list[tuple[Cell, ...]] = []
    for name, scores in {**tables, "all methods": np.concatenate(list(tables.values()))}.items():
        correlation = correlate_raters(scores)
        kappas = [
            weighted_kappa(scores[:, one], scores[:, other]) for one, other in combinations(range(scores.shape[1]), 2)
        ]
        kappa = float(np.nanmean(kappas)) if np.isfinite(kappas).any() else float("nan")
        rows.append(
            (
                name,
                correlation.n_images,
                correlation.absolute,
                correlation.consistency,
                krippendorff_alpha(scores),
                kappa,
            )
        )
    heads = ("method", "images by all", "ICC(A,1)", "ICC(C,1)", "Krippendorff's alpha", "weighted kappa")
    note = (
        "ICC(A,1): same scores; ICC(C,1): same order whatever the severity; a gap between them is severity. Alpha: "
        "ordinal. Kappa: quadratic weights, mean over pairs of raters."
    )
    return Table("rating_agreement", "How far raters agree", heads, tuple(rows), note, (len(rows) - 1,))


def subset_table(ratings: Ratings) -> Table:
    """Tabulate whether scores hang on the data set."""
    rows = tuple(compare_subsets(ratings).items())
    note = (
        "Kruskal-Wallis of the image means between data sets. A small p of a difference: the preference hangs on the "
        "data set."
    )
    return Table("rating_subsets", "Effect of the data set", ("score", "p"), rows, note, styles={"p": "p"})


def judge_ratings(preferences: Sequence[Preference]) -> tuple[Light, str]:
    """Return whether the last method is preferred to the first, and how surely."""
    last = preferences[-1]
    whole = [one for one in preferences if (one.method, one.baseline) == (last.method, preferences[0].baseline)][-1]
    shift = f"a shift of {text_of(whole.shift, style='signed')} points over {whole.n} images"
    raters = "by all raters together" if whole.rater == EVERYBODY else f"by {whole.rater}"
    p = text_of(whole.p_holm, style="p")
    summary = f"{shift} (Wilcoxon, Holm-adjusted: p {p if p.startswith('<') else '= ' + p})"
    if not (whole.p_holm < 0.05 and whole.shift.excludes(0)):
        return "doubt", f"No preference shown between {whole.method} and {whole.baseline} {raters}: {summary}."
    better = whole.shift.estimate > 0
    return (
        "good" if better else "bad",
        f"{whole.method} is scored {'higher' if better else 'lower'} than {whole.baseline} {raters}: {summary}.",
    )


def check_ratings(ratings: Ratings) -> tuple[Check, ...]:
    """Find what makes ratings mislead."""
    images, raters = len(set(ratings.image.tolist())), ratings.raters
    alone = len(raters) < 2
    correlation = correlate_raters(np.concatenate([score_table(ratings, method=m) for m in ratings.methods]))
    shares = (ratings.score <= 1) | (ratings.score >= 10)
    return (
        Check(
            "good" if images >= 20 else "doubt",
            f"{images} images were rated{'' if images >= 20 else ': few for a small preference'}.",
        ),
        Check("doubt" if alone else "good", "One rater: agreement is unknown." if alone else f"{len(raters)} raters."),
        Check(
            "doubt" if not correlation.consistency >= 0.5 else "good",
            f"Raters' consistency, ICC(C,1): {text_of(correlation.consistency)}, "
            f"absolute agreement, ICC(A,1): {text_of(correlation.absolute)}.",
        ),
        Check(
            "doubt" if shares.mean() > 0.3 else "good", f"{shares.mean():.0%} of the scores are at an end of the scale."
        ),
    )


def _of_everybody(preferences: Sequence[Preference]) -> tuple[int, ...]:
    return tuple(place for place, one in enumerate(preferences) if one.rater == EVERYBODY)
