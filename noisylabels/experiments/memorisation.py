"""Memorisation: does a training follow labels that are right, or wrong ones, or find what is behind the wrong ones?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.report.canvas import Figure, canvas, finish
from evaluation.report.pages import Section
from evaluation.report.tables import Table
from noisylabels.experiments.curves import ARM
from noisylabels.experiments.declaration import CLEAN
from noisylabels.experiments.epochs import of_largest_sets, place_epochs
from noisylabels.experiments.line_styles import draw_legend, height_for, line_styles_of, sparsely

if TYPE_CHECKING:
    import pandas as pd

SHARES = {
    "correct_fitted": "right labels, followed",
    "corrupted_memorised": "wrong labels, followed",
    "corrupted_recovered": "wrong labels, truth found",
}
"""Share of `noisylabels.learning.robust.memorisation.EventFit` -> what it says."""


def memorisation_section(epochs: "pd.DataFrame") -> Section | None:
    """What became of events with right and with wrong labels, by epoch; None where no run followed them.

    Args:
        epochs: The `epochs` table of `collect`; runs with the preset `memorisation` have its columns.
    """
    if column_of("corrupted_memorised") not in epochs:
        return None
    shares = average_shares(of_largest_sets(epochs))
    if shares.empty:
        return None
    last = shares[shares["epoch"] == shares["epoch"].max()]
    heads = ("noise", "dose", "method", "epoch", *SHARES.values())
    rows = tuple(
        (row.noise, row.dose, row.method, row.epoch, *(getattr(row, share) for share in SHARES))
        for row in last.itertuples(index=False)
    )
    lead = (
        "Events of the training fields, as the network predicts them while it learns. A wrong label that is followed "
        "is memorised; one whose truth is found is corrected by what the network learnt from the others."
    )
    table = Table("memorisation", "In the last epoch", heads, rows, grouped=True)
    return Section("memorisation", "Right and wrong labels", lead, (draw_memorisation(shares), table))


def average_shares(epochs: "pd.DataFrame") -> "pd.DataFrame":
    """Average the shares of each noisy arm over its seeds.

    Args:
        epochs: The `epochs` table of `collect`.

    Returns:
        One row per noisy arm and epoch: the factors of the arm, `epoch`, and the mean of each of `SHARES`.
    """
    columns = {column_of(share): share for share in SHARES}
    noisy = epochs[epochs["noise"] != CLEAN].dropna(subset=[column_of("corrupted_memorised")])
    grouped = noisy.groupby([*ARM, "epoch"], dropna=False, sort=False)[list(columns)]
    return grouped.mean().reset_index().rename(columns=columns)


def column_of(share: str) -> str:
    """Return the name of the column of a share in the table of epochs.

    Examples:
        >>> column_of("correct_fitted")
        'memorisation_correct_fitted'
    """
    return f"memorisation_{share}"


def draw_memorisation(shares: "pd.DataFrame") -> Figure:
    """Draw the shares by epoch, each noise at its largest dose: one row per noise, one column per share.

    Args:
        shares: What `average_shares` gave.
    """
    shares, axis = place_epochs(shares)
    doses = shares.groupby("noise", sort=False)["dose"].max()
    methods: Sequence[str] = list(dict.fromkeys(shares["method"]))
    styles = line_styles_of(methods)
    with canvas(9.0, height_for(len(methods), least=2.1 * len(doses) + 0.5)) as drawing:
        panels = drawing.subplots(len(doses), len(SHARES), sharex=True, sharey=True, squeeze=False)
        for row, (noise, dose) in zip(panels, doses.items(), strict=True):
            part = shares[(shares["noise"] == noise) & (shares["dose"] == dose)]
            for axes, share in zip(row, SHARES, strict=True):
                for method, curve in part.groupby("method", sort=False):
                    by_epoch = curve.groupby("place")[share].mean()
                    style = styles[str(method)]
                    axes.plot(by_epoch.index, by_epoch, **style, markevery=sparsely(len(by_epoch)), linewidth=1.4)
                axes.set_ylim(-0.02, 1.02)
                axes.grid(axis="y")
            row[0].set_ylabel(f"{noise}, {dose:g}")
        for axes, title in zip(panels[0], SHARES.values(), strict=True):
            axes.set_title(title)
        for axes in panels[-1]:
            axes.set_xlabel(axis)
        draw_legend(drawing, styles)
        caption = (
            "Shares of the events of the training fields by epoch, means over seeds, each noise at its largest dose."
        )
        return finish(drawing, name="memorisation", caption=caption)
