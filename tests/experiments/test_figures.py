"""What the figures of an experiment show, read off their SVG."""

import re

import pandas as pd

from noisylabels.experiments.epochs import epoch_section
from noisylabels.experiments.figures import draw_curves, draw_sizes
from noisylabels.experiments.line_styles import line_styles_of
from noisylabels.experiments.method_rows import draw_method_rows
from noisylabels.experiments.reading import read_declaration
from noisylabels.experiments.report import curve_section
from tests.experiments.test_contrasts import ARMS, arm


def texts(figure):
    """The words of a figure; they are text, not outlines."""
    return re.findall(r"<text[^>]*>([^<]+)</text>", figure.svg.decode())


def test_every_method_has_a_row_and_every_noise_a_panel_at_its_largest_dose():
    found = texts(draw_method_rows(ARMS, references={"clean ceiling": 0.9}))
    assert found.count("gdl") == found.count("ce") == 1
    assert "labels" not in found  # a line, no row
    assert {"clean", "random, dose 0.5", "dim, dose 0.5"} <= set(found)


def test_one_dose_of_many_methods_is_drawn_as_rows_alone_and_has_no_table_of_curves():
    declaration = read_declaration("real_u2os")
    arms = [arm("voters", 1.0, name, 0.5) for name in declaration.methods]
    assert [item.name for item in curve_section(declaration, arms).items] == ["methods", "arms"]
    clean = [arm("clean", 0.0, name, 0.9) for name in declaration.methods]
    both = curve_section(declaration, [*clean, *arms])
    assert [item.name for item in both.items] == ["curves", "methods", "arms", "summaries"]


def test_a_figure_of_many_methods_names_them_all_and_none_looks_like_another():
    names = [f"method {number}" for number in range(16)]
    arms = [arm("random", dose, name, 0.5) for name in names for dose in (0.2, 0.5)]
    found = texts(draw_curves(arms, references={"clean ceiling": 0.81, "gold only": 0.8}))
    assert [word for word in found if word.startswith("method")] == names
    assert "clean ceiling, gold only" in found  # two lines too near for two names
    assert len({tuple(sorted(style.items())) for style in line_styles_of(names).values()}) == 16


def test_sizes_are_on_the_axis_and_every_dose_in_the_legend():
    arms = [
        arm(noise, dose, method, 0.5, n_train=size)
        for noise, dose in (("clean", 0.0), ("random", 0.5))
        for method in ("gdl", "labels")
        for size in (6, 96)
    ]
    found = texts(draw_sizes(arms))
    assert found.count("6") == found.count("96") == 2  # of each panel
    assert [word for word in found if "dose" in word] == ["gdl, dose 0", "gdl, dose 0.5"]


def test_of_several_sizes_the_largest_is_followed_epoch_by_epoch():
    rows = [("noisy", 0.5, "gdl", size, epoch, 0.5, size / 100, f"run {size}") for size in (6, 96) for epoch in (1, 2)]
    heads = ["noise", "dose", "method", "n_train", "epoch", "train_mean_iou", "val_mean_iou", "id"]
    _, peaks = epoch_section(pd.DataFrame(rows, columns=heads)).items
    assert [row[:5] for row in peaks.rows] == [("noisy", 0.5, "gdl", 1, 0.96)]
