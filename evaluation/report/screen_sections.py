"""The report of a new screen without truth: what was found, what drifted, what to look at first."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.report.distributions import draw_sizes
from evaluation.report.galleries import FieldView, class_legend, error_legend, lay_row
from evaluation.report.heatmaps import draw_plates
from evaluation.report.pages import Check, Gallery, Light, Picture, Section
from evaluation.report.pictures import name_channels, show_disagreement, show_image, show_labels, usual_spans
from evaluation.report.plate_section import PLATE_LEAD, by_plate, place_table
from evaluation.report.tables import Cell, Style, Table, text_of
from evaluation.screens.drift import LARGE, NOTICEABLE, Drift, measure_drift
from evaluation.screens.quality import flag_low
from evaluation.screens.screens import Survey

N_TO_CORRECT = 10
SATURATED = 0.001  # share of pixels at the end of the scale from which a field is flagged


def found_section(new: Survey) -> Section:
    """Report what the methods found on a screen."""
    rows: list[tuple[Cell, ...]] = []
    for place, method in enumerate(new.methods):
        for index in new.classes.indices[1:]:
            counts, areas = new.counts[:, place, index], new.areas(method, index)
            area = float(np.median(areas)) if areas.size else float("nan")
            rows.append(
                (
                    method,
                    new.classes.names[index],
                    int(counts.sum()),
                    float(counts.mean()),
                    float(np.median(counts)),
                    int((counts == 0).sum()),
                    area,
                )
            )
    heads = ("method", "class", "events", "mean per field", "median per field", "fields without", "median area (px)")
    table = Table("found", "Events found", heads, tuple(rows), styles=dict.fromkeys(heads[3:], "amount"), grouped=True)
    return Section("found", "What was found", f"{len(new.fields)} fields, no reference: counts, not scores.", (table,))


def find_drifts(reference: Survey, new: Survey) -> dict[tuple[str, str], Drift]:
    """Compare a new screen with a reference screen, by (method, quantity)."""
    drifts = {}
    for place, method in enumerate(new.methods):
        before = reference.methods.index(method)
        for index in new.classes.indices[1:]:
            name = new.classes.names[index]
            drifts[method, f"{name}: events per field"] = measure_drift(
                reference.counts[:, before, index], new.counts[:, place, index]
            )
            drifts[method, f"{name}: event area (px)"] = measure_drift(
                reference.areas(method, index), new.areas(method, index)
            )
    for channel, name in enumerate(new.channel_names):
        drifts["image", f"{name}: focus"] = measure_drift(reference.focus[:, channel], new.focus[:, channel])
    return drifts


def drift_section(reference: Survey, new: Survey) -> Section:
    """Report how a new screen differs from the reference screen."""
    rows = tuple(
        (method, quantity, one.median_reference, one.median_new, one.ks, one.psi, _words(one))
        for (method, quantity), one in find_drifts(reference, new).items()
    )
    heads = ("method", "quantity", "median, reference", "median, new", "KS distance", "PSI", "")
    note = (
        f"PSI: population stability index; from {NOTICEABLE} something, from {LARGE} much has changed. No p-values: "
        "with thousands of events every difference is significant."
    )
    styles: dict[str, Style] = dict.fromkeys(heads[2:4], "amount")
    table = Table("drift", "Drift from the reference screen", heads, rows, note, styles=styles, grouped=True)
    last = new.methods[-1]
    areas = {
        new.classes.names[index]: {"reference": reference.areas(last, index), f"new, {last}": new.areas(last, index)}
        for index in new.classes.indices[1:]
    }
    lead = f"Sizes are those of {last}. A method is trusted on a screen that looks like the one it was judged on."
    return Section("drift", "Drift", lead, (table, draw_sizes(areas, unit="pixels")))


def _words(drift: Drift) -> str:
    if np.isnan(drift.psi):
        return "–"
    return "much changed" if drift.psi >= LARGE else "changed" if drift.psi >= NOTICEABLE else "alike"


def quality_section(new: Survey, reference: Survey | None = None) -> Section:
    """Report images that are out of focus or saturated."""
    blurred = blurred_fields(new, reference)
    saturated = new.saturated > SATURATED
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(new.fields[row]),
            ", ".join(name for name, flag in zip(new.channel_names, blurred[row], strict=True) if flag) or "–",
            ", ".join(name for name, flag in zip(new.channel_names, saturated[row], strict=True) if flag) or "–",
            *(float(value) for value in new.focus[row]),
            *(float(value) for value in new.saturated[row]),
        )
        for row in np.flatnonzero(blurred.any(1) | saturated.any(1))
    )
    heads = (
        "field",
        "out of focus",
        "saturated",
        *(f"focus {name}" for name in new.channel_names),
        *(f"saturated {name}" for name in new.channel_names),
    )
    note = (
        "Out of focus: fine structure 3.5 robust deviations below "
        f"{'the reference screen' if reference else 'the other fields'}. Saturated: more than {SATURATED:.1%} of the "
        "pixels at the end of the camera's scale."
    )
    table = Table("image_flags", "Fields to distrust", heads, rows, note)
    title = "Image quality" if len(new.methods) > 1 else "Look at these fields first"
    return Section("quality", title, f"{len(rows)} of {len(new.fields)} fields are flagged.", (table,))


def blurred_fields(new: Survey, reference: Survey | None) -> np.ndarray:
    """(field, channel) flags of unusually low focus."""
    usual = reference or new
    return np.column_stack(
        [flag_low(new.focus[:, channel], reference=usual.focus[:, channel]) for channel in range(new.focus.shape[1])]
    )


def disagreement_section(new: Survey, look: Callable[[str], FieldView] | None, *, n: int) -> Section:
    """Rank the fields by the disagreement of the first and the last method: look at these first.

    Args:
        new: The screen.
        look: Gives the pixels of a field (its `reference` is the first method's map); None: no gallery.
        n: How many fields to show.
    """
    first, last = new.methods[0], new.methods[-1]
    order = rank_disagreement(new)
    rows = tuple(
        (
            rank,
            str(new.fields[row]),
            float(new.disagreement[row]),
            int(new.counts[row, 0].sum()),
            int(new.counts[row, -1].sum()),
        )
        for rank, row in enumerate(order, 1)
    )
    heads = ("rank", "field", "disagreement", f"events, {first}", f"events, {last}")
    note = "Disagreement: 1 - mean IoU over event classes between the two methods; 0: equal, 1: nothing in common."
    table = Table("look_first", "Fields by disagreement", heads, rows, note, shown=max(n, 10))
    lead = f"Without truth, the fields on which {first} and {last} disagree are where one of them is wrong."
    shown = [str(new.fields[row]) for row in order[:n]] if look is not None else []
    gallery = [_gallery(new, shown, look)] if look is not None and shown else []
    return Section("look", "Look at these fields first", lead, (*gallery, table))


def rank_disagreement(new: Survey) -> NDArray[np.intp]:
    """Return the positions of the fields, those on which the first and the last method disagree most first."""
    return np.argsort(-new.disagreement, kind="stable")


def _gallery(new: Survey, fields: Sequence[str], look: Callable[[str], FieldView]) -> Gallery:
    first, last = new.methods[0], new.methods[-1]
    caption = f"image ({name_channels(new.channel_names)})"
    rows, spans = [], usual_spans(look(field).image for field in fields)
    for field in fields:
        view = look(field)
        one, other = view.reference, view.predictions[last]
        value = new.disagreement[np.flatnonzero(new.fields == field)[0]]
        panels = (
            Picture(caption, show_image(view.image, new.channel_names, spans=spans)),
            Picture(first, show_labels(one)),
            Picture("disagreement", show_disagreement(one, other, view.image, spans=spans)),
            Picture(last, show_labels(other)),
        )
        rows.append(lay_row(field, f"disagreement {text_of(float(value))}", panels, view))
    words = {
        "found": "both",
        "missed": f"only {first}",
        "spurious": f"only {last}",
        "misclassified": "of another class",
    }
    legends = (class_legend(new.classes), error_legend("difference", words))
    return Gallery("The fields that disagree most", tuple(rows), legends)


def screen_plate_section(new: Survey) -> Section | None:
    """Report a screen well by well; None when fields name no wells."""
    if not (new.wells != "").any():
        return None
    last = new.methods[-1]
    quantities: dict[str, ArrayLike] = {
        f"{new.classes.names[index]} per field": new.counts[:, -1, index] for index in new.classes.indices[1:]
    }
    if len(new.methods) > 1:
        quantities["disagreement"] = new.disagreement
    wells = {name: by_plate(values, new.plates, new.wells) for name, values in quantities.items()}
    lead = f"Counts of {last}. {PLATE_LEAD}"
    return Section("plates", "Plates", lead, (draw_plates(wells), place_table(wells)))


def judge_screen(new: Survey, reference: Survey | None) -> tuple[Light, str]:
    """Return whether a new screen looks like the reference screen."""
    flagged = int((blurred_fields(new, reference).any(1) | (new.saturated > SATURATED).any(1)).sum())
    images = f"{flagged} of {len(new.fields)} fields are out of focus or saturated"
    if reference is None:
        return "doubt", f"No reference screen was given: what is usual is not known. {images}."
    drifts = {key: one for key, one in find_drifts(reference, new).items() if not np.isnan(one.psi)}
    if not drifts:
        return "doubt", f"Neither screen has events to compare. {images}."
    (method, quantity), worst = max(drifts.items(), key=lambda entry: entry[1].psi)
    summary = f"largest drift: {quantity} ({method}), PSI {text_of(worst.psi)}; {images}"
    if worst.psi >= LARGE:
        return "bad", f"This screen differs much from the reference screen; {summary}. Have some fields checked by eye."
    if worst.psi >= NOTICEABLE:
        return "doubt", f"This screen differs somewhat from the reference screen; {summary}."
    return "good", f"This screen looks like the reference screen; {summary}."


def find_screen_step(new: Survey, reference: Survey | None, light: Light) -> str:
    """Return in one sentence what a person should do now with a screen without truth, from the numbers.

    Args:
        new: The screen.
        reference: The screen that the methods know, if one was given.
        light: What `judge_screen` found.
    """
    flagged = int((blurred_fields(new, reference).any(1) | (new.saturated > SATURATED).any(1)).sum())
    if flagged > len(new.fields) / 4:
        return f"look at the {flagged} flagged images before anything is counted: every method errs on them"
    if len(new.methods) < 2:
        return "label the screen with a second method: where two disagree, one of them is wrong"
    order = [row for row in rank_disagreement(new)[:N_TO_CORRECT] if new.disagreement[row] > 0]
    if not order:
        return f"draw {min(N_TO_CORRECT, len(new.fields))} fields by hand: the methods agree, which proves neither"
    fields = ", ".join(str(new.fields[row]) for row in order[:3]) + (", ..." if len(order) > 3 else "")
    known = "this screen differs from the known one" if light == "bad" else "there the methods disagree most"
    return f"correct {len(order)} field{'s' * (len(order) > 1)} by hand ({fields}): {known}"


def check_screen(new: Survey, reference: Survey | None) -> tuple[Check, ...]:
    """Find what makes a screen's counts mislead."""
    empty = int((new.counts[:, -1, 1:].sum(1) == 0).sum())
    blurred = int(blurred_fields(new, reference).any(1).sum())
    saturated = int((new.saturated > SATURATED).any(1).sum())
    n = len(new.fields)
    return (
        Check("doubt", "There is no truth here: nothing in this report says which method is right."),
        Check(
            "good" if reference else "doubt",
            f"Compared with {len(reference.fields)} fields." if reference else "No reference screen.",
        ),
        Check("doubt" if blurred else "good", f"{blurred} of {n} fields are out of focus."),
        Check("doubt" if saturated else "good", f"{saturated} of {n} fields are saturated."),
        Check("doubt" if empty > n / 4 else "good", f"{empty} of {n} fields have no event by {new.methods[-1]}."),
    )
