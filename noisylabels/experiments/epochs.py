"""Epoch by epoch: does the score against the truth fall while the fit to the training labels still rises?"""

from typing import TYPE_CHECKING

import numpy as np

from evaluation.report.canvas import Figure, canvas, finish
from evaluation.report.pages import Section
from evaluation.report.tables import Table
from noisylabels.experiments.curves import ARM
from noisylabels.experiments.line_styles import draw_legend, height_for, line_styles_of, sparsely

if TYPE_CHECKING:
    import pandas as pd

FIT, HELD = "train_mean_iou", "val_mean_iou"
"""Mean IoU with the training labels, right or wrong; and on the validation fields."""


def epoch_section(epochs: "pd.DataFrame") -> Section | None:
    """Fit to the labels and score on held-out fields by epoch; None where no run was validated.

    Args:
        epochs: The `epochs` table of `collect`.
    """
    if epochs.empty or HELD not in epochs:
        return None
    epochs = of_largest_sets(epochs)
    peaks = find_peaks(epochs)
    heads = ("noise", "dose", "method", "peak in epoch", "at the peak", "at the end", "end - peak", "least", "largest")
    rows = tuple(tuple(row) for row in peaks.to_numpy(object).tolist())
    note = (
        "Means over seeds of the mean IoU on the validation fields; the peak is that of the mean curve, so it flatters "
        "by a little; least and largest: end - peak of one seed. Of several training-set sizes, the largest."
    )
    table = Table("peaks", "Peak and end", heads, rows, note, grouped=True)
    return Section("epochs", "Trusting the teacher too much", "", (draw_epochs(epochs), *([table] if rows else [])))


def find_peaks(epochs: "pd.DataFrame") -> "pd.DataFrame":
    """Find the epoch in which each arm's score on the validation fields is best, and what is left of it at the end.

    Args:
        epochs: The `epochs` table of `collect`.

    Returns:
        One row per arm that was validated in more than one epoch: noise, dose, method; `epoch` of the peak of the mean
        over seeds; `peak`, `end`, `change`; and the `least` and `largest` change of one seed.
    """
    import pandas as pd

    rows = []
    for arm, part in epochs.dropna(subset=[HELD]).groupby(list(ARM), dropna=False, sort=False):
        by_seed = part.pivot_table(index="id", columns="epoch", values=HELD).dropna(axis="columns")
        if by_seed.shape[1] > 1:
            curves = by_seed.to_numpy(float)
            mean = curves.mean(0)
            best = int(mean.argmax())
            changes = curves[:, -1] - curves[:, best]
            noise, dose, method, _ = arm
            scores = (mean[best], mean[-1], changes.mean(), changes.min(), changes.max())
            rows.append([noise, dose, method, by_seed.columns[best], *scores])
    return pd.DataFrame(rows, columns=["noise", "dose", "method", "epoch", "peak", "end", "change", "least", "largest"])


def of_largest_sets(table: "pd.DataFrame") -> "pd.DataFrame":
    """Keep the rows of the largest training sets; a set without a number is of all fields, and the largest.

    Args:
        table: `n_train`, among others.

    Examples:
        >>> import pandas as pd
        >>> of_largest_sets(pd.DataFrame({"n_train": [6, 96, 96]})).index.tolist()
        [1, 2]
    """
    sizes = table["n_train"].astype(float).fillna(float("inf"))
    return table[sizes == sizes.max()]


def place_epochs(table: "pd.DataFrame") -> tuple["pd.DataFrame", str]:
    """Place epochs on an axis: by number, or as shares of the training where methods have epochs of unequal length.

    Args:
        table: `method` and `epoch`, among others.

    Returns:
        The table with the column `place`, and the name of the axis.

    Examples:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"method": ["gdl", "gdl", "gold only"], "epoch": [1, 2, 4]})
        >>> place_epochs(table)[0]["place"].tolist(), place_epochs(table[:2])[1]
        ([0.5, 1.0, 1.0], 'epoch')
    """
    lengths = table.groupby("method")["epoch"].transform("max")
    if lengths.nunique() == 1:
        return table.assign(place=table["epoch"]), "epoch"
    return table.assign(place=table["epoch"] / lengths), "share of the training"


def draw_epochs(epochs: "pd.DataFrame") -> Figure:
    """Draw the fit to the training labels and the score on validation fields by epoch, one panel per noise.

    Each noise is shown at its largest dose.

    Args:
        epochs: The `epochs` table of `collect`.
    """
    epochs, axis = place_epochs(epochs)
    doses = epochs.groupby("noise", sort=False)["dose"].max()
    methods = list(dict.fromkeys(epochs["method"]))
    styles = line_styles_of(methods)
    with canvas(min(2.6 * len(doses) + 1.6, 11.0), height_for(len(methods), least=2.6)) as drawing:
        panels = np.atleast_1d(drawing.subplots(1, len(doses), sharey=True))
        for axes, (noise, dose) in zip(panels, doses.items(), strict=True):
            shown = epochs[(epochs["noise"] == noise) & (epochs["dose"] == dose)]
            for method, part in shown.groupby("method", sort=False):
                by_epoch = part.groupby("place")[[FIT, HELD]].mean()
                fit, held = by_epoch[FIT], by_epoch[HELD].dropna()
                style = styles[str(method)]
                axes.plot(fit.index, fit, color=style["color"], linewidth=1, linestyle="--")
                axes.plot(held.index, held, **style, markevery=sparsely(len(held)), linewidth=1.6)
            axes.set_title(f"{noise}, dose {dose:g}")
            axes.set_xlabel(axis)
            axes.grid(axis="y")
        panels[0].set_ylabel("mean IoU")
        draw_legend(drawing, styles)
        caption = (
            "Dashed: fit to the training labels, right or wrong. Solid: score on the validation fields. Where the "
            "first rises and the second falls the network trusts its teacher too much."
        )
        return finish(drawing, name="epochs", caption=caption)
