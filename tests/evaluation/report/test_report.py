import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from evaluation.metrics.counts import FieldKey
from evaluation.metrics.fields import count_fields
from evaluation.metrics.scores import data_set_metrics
from evaluation.report.answer import draw_answer, say_where_to_look
from evaluation.report.bars import draw_break_even
from evaluation.report.canvas import METHOD_COLOURS, class_colour, colours_of
from evaluation.report.checks import check_evaluation
from evaluation.report.distributions import draw_pairs, draw_sizes, draw_violins
from evaluation.report.event_section import band_shares, detection_table, event_counts, fates_by_size, size_names
from evaluation.report.galleries import FieldView, choose_fields, show_fields
from evaluation.report.heatmaps import draw_confusions, draw_plates
from evaluation.report.pages import Check, Figure, Report, Section, Table, render_page
from evaluation.report.pictures import compose, error_codes, show_errors, show_labels, usual_spans
from evaluation.report.scale_bars import ScaleBar, choose_scale_bar
from evaluation.report.tables import csv_text, text_of
from evaluation.report.verdicts import judge
from evaluation.statistics.comparison import compare_methods
from evaluation.statistics.intervals import Interval
from noisylabels.data.events import EventTable
from noisylabels.data.labels import ROSELLA
from tests.cases import draw
from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH


def count(maps_by_method, truths, reference="reference"):
    return count_fields(
        (
            (FieldKey(f"f{place}", method, reference), truth, prediction)
            for method, maps in maps_by_method.items()
            for place, (truth, prediction) in enumerate(zip(truths, maps, strict=True))
        ),
        classes=ROSELLA,
    )


def texts_of(figure):
    """The words that an SVG figure shows."""
    root = ET.fromstring(figure.svg)
    return [text for element in root.iter() if (text := (element.text or "").strip())]


def a_report(*items, verdict="V", light="doubt"):
    section = Section("one", "One", "", items)
    return Report("T", verdict, light, (("seed", "0"),), (Check("bad", "watch"),), (section,))


def test_a_table_without_rows_says_none_and_gives_its_heads_as_csv():
    table = Table("empty", "Nothing", ("a", "b"), ())
    assert "none" in render_page(a_report(table))
    assert csv_text(table) == "a,b\n"


def test_csv_holds_every_row_at_full_precision_and_the_page_the_first():
    table = Table("t", "T", ("n", "x"), tuple((n, n / 3) for n in range(30)), shown=5)
    assert len(table.texts()) == 5
    assert csv_text(table).splitlines()[2] == "1,0.3333333333333333"
    assert "The first 5 of 30 rows" in render_page(a_report(table))


def test_equal_first_cells_are_written_once_but_stay_in_the_csv():
    table = Table("t", "T", ("class", "x"), (("a", 1), ("a", 2), ("b", 3)), grouped=True)
    assert [row[0] for row in table.texts()] == ["a", "", "b"]
    assert csv_text(table).count("a,") == 2


@pytest.mark.parametrize(
    ("cell", "style", "text"),
    [
        (None, "plain", "–"),
        (float("nan"), "percent", "–"),
        (-0.0126, "signed", "−0.013"),
        (0.2, "percent", "+20.0 %"),
        (0.00004, "p", "< 0.0001"),
        (12.0, "amount", "12"),
        (123456.0, "amount", "123\u202f456"),
        (Interval(float("nan"), 0, 0, 0.95, 3), "plain", "–"),
        (Interval(0.5, 0.25, 0.75, 0.95, 3), "signed", "+0.500 [+0.250, +0.750]"),
    ],
)
def test_cells_are_written_as_a_reader_wants_them(cell, style, text):
    assert text_of(cell, style=style) == text


def test_what_users_name_cannot_break_the_page():
    page = render_page(a_report(Table("t", "<script>alert(1)</script>", ("a",), (("<b>",),)), verdict='"><img src=x>'))
    assert "<script" not in page
    assert "<img" not in page


def test_a_page_shows_figures_tables_paragraphs_and_lights():
    figure = Figure("fig", "what it shows", b"<svg/>")
    page = render_page(a_report(figure, Table("t", "T", ("a",), ((1,),)), "words to read"))
    assert 'download="fig.svg"' in page
    assert 'download="t.csv"' in page
    assert "words to read" in page
    assert 'class="bad"' in page


def test_colours_of_methods_do_not_depend_on_company():
    assert colours_of(["CDL"])["CDL"] == colours_of(["x", "CIP", "CDL"])["CDL"] == METHOD_COLOURS["cdl"]
    assert len(set(colours_of(["CIP", "CDL", "MDL", "a", "b"]).values())) == 5
    assert len({class_colour(index) for index in range(8)}) == 8


def test_the_confusion_figure_shows_shares_of_the_reference():
    words = texts_of(draw_confusions({"CIP": [[6, 2], [0, 0]]}, ["background", "event"]))
    assert {"CIP", "75.0%", "25.0%", "6", "2"} <= set(words)
    assert words.count("–") == 2  # the reference has no event: its row has no shares


def test_plates_with_missing_wells_and_no_well_at_all_are_drawn():
    drawn = draw_plates({"mean IoU": {"P1": {"B07": 0.5}, "P2": {}}, "events": {"P1": {}}})
    assert {"mean IoU", "events", "H", "12"} <= set(texts_of(drawn))


def test_figures_of_nothing_are_drawn():
    nothing = np.array([])
    draw_sizes({"phagophore": {"reference": nothing, "CIP": nothing}}, unit="pixels")
    draw_violins({"A": {"CIP": [], "CDL": [3, 3, 3]}})
    draw_pairs({"MeanIoU": {"CIP": [np.nan, 0.5], "CDL": [np.nan, np.nan]}})


def test_the_break_even_figure_marks_the_crossing():
    assert "100 fields" in texts_of(draw_break_even({"manual": (0, 0.2), "CDL": (10, 0.1)}, fields=200))
    assert not [word for word in texts_of(draw_break_even({"CDL": (10, 0.1)}, fields=200)) if "fields" in word][1:]


def test_errors_are_coded_pixel_by_pixel():
    reference, prediction = draw("0011 / 2200"), draw("0110 / 2100")
    np.testing.assert_array_equal(error_codes(reference, prediction), [[0, 3, 1, 2], [1, 4, 0, 0]])


def test_pictures_keep_the_size_of_the_field_and_the_colour_of_the_class():
    import base64
    import io

    from PIL import Image

    label_map = draw("012. / ....")
    picture = Image.open(io.BytesIO(base64.b64decode(show_labels(label_map).split(",")[1]))).convert("RGB")
    assert picture.size == (4, 2)
    assert "#{:02x}{:02x}{:02x}".format(*picture.getpixel((1, 0))) == class_colour(1).lower()
    image = np.zeros((2, 3, *label_map.shape))  # with planes
    assert show_errors(label_map, label_map, image).startswith("data:image/png")


def test_one_channel_is_grey_and_an_even_one_black():
    grey = compose(np.array([[[0, 10]]]), ["DAPI"])
    np.testing.assert_array_equal(grey[0], [[0, 0, 0], [255, 255, 255]])
    assert not compose(np.full((2, 3, 4), 7), ["DsRed", "pHluorin"]).any()


def test_an_empty_field_stays_dark_beside_others():
    noise, signal = np.random.default_rng(0).integers(0, 20, (2, 1, 20, 20))
    spans = usual_spans([noise, 50 * signal, 50 * signal])
    assert spans[0] > 900
    assert compose(noise, ["DAPI"], spans=spans).max() < 20
    assert compose(noise, ["DAPI"]).max() == 255
    assert usual_spans([]) == []


def test_no_field_is_chosen_twice_and_undefined_ones_only_at_random():
    scores = [0.3, np.nan, 0.9, 0.1, 0.5, 0.7, np.nan]
    chosen = choose_fields(scores, n=2, rng=np.random.default_rng(0))
    assert (chosen["worst"].tolist(), chosen["best"].tolist()) == ([3, 0], [2, 5])
    assert len({*chosen["worst"], *chosen["best"], *chosen["random"]}) == 6
    assert choose_fields([], n=2, rng=np.random.default_rng(0))["worst"].size == 0


def test_the_verdict_knows_better_from_worse_from_open():
    rng = np.random.default_rng(0)

    def verdict(before, after):
        table = count({"CIP": before, "CDL": after}, [TRUTH] * len(before))
        return judge(compare_methods(table, data_set_metrics(ROSELLA), n_resamples=99, rng=rng))

    assert verdict([SHIFTED] * 6, [TRUTH] * 6)[0] == "good"
    assert "CDL segments worse than CIP" in verdict([TRUTH] * 6, [SHIFTED] * 6)[1]
    light, text = verdict([TRUTH, SHIFTED] * 3, [SHIFTED, TRUTH] * 3)
    assert (light, "No difference is shown" in text) == ("doubt", True)
    light, text = verdict([SHIFTED] * 5, [TRUTH] * 5)
    beginning = (
        "Whether CDL segments better than CIP cannot be decided with 5 clusters, whatever the difference: no p-value"
    )
    assert (light, text.startswith(f"{beginning} below 0.0625 is possible.")) == ("doubt", True)


def lights(table, hashes=None, skipped=None):
    return {check.text: check.light for check in check_evaluation(table, hashes=hashes or {}, skipped=skipped or {})}


def test_checks_see_an_absent_class_few_clusters_and_a_copied_reference():
    found = lights(count({"CIP": [EMPTY] * 3}, [EMPTY] * 3))
    assert found["The reference has no pixel of phagophore, autolysosome: its scores are undefined."] == "bad"
    few = "3 fields in 3 independent clusters (wells, or fields of view)"
    assert found[f"{few}: with fewer than 6 no method can be shown to be better."] == "bad"
    assert [light for text, light in found.items() if "made from a prediction" in text] == ["bad"]
    assert [light for text, light in found.items() if "skipping it or counting it as 0" in text] == ["doubt"]


def test_checks_are_green_for_a_sound_evaluation():
    found = lights(count({"CIP": [SHIFTED] * 25}, [TRUTH] * 25), hashes={"truth": "a", "cip": "b"})
    assert set(found.values()) == {"good"}


def test_label_sets_with_one_hash_are_told():
    found = lights(count({"CIP": [SHIFTED] * 25}, [TRUTH] * 25), hashes={"truth": "a", "cip": "b", "cdl": "b"})
    assert any("Label maps of cdl, cip are the same pixel by pixel" in text for text in found)


def test_bands_are_shares_of_reference_events_per_expert():
    truth, half = draw("1111 / .... / 1111"), draw("1111 / .... / ....")
    low = draw("1... / .... / 1111")  # IoU of boxes 1/4 for the first event
    one = count({"CIP": [low]}, [truth], reference="A")
    assert band_shares(one, 1) == ([0.5], [0.5])
    assert band_shares(count({"CIP": [half]}, [truth], reference="B"), 1) == ([0.0], [0.5])
    assert np.isnan(band_shares(count({"CIP": [EMPTY]}, [EMPTY]), 1)[0][0])


def test_events_are_counted_per_field_for_the_plot_of_agreement():
    reference, predicted = event_counts(count({"CIP": [EMPTY, SHIFTED]}, [EMPTY, TRUTH]), ["CIP"])
    assert (reference.tolist(), predicted["CIP"].tolist()) == ([0, 4], [0, 4])


def test_fates_add_up_to_one_in_every_size_that_occurs():
    events = EventTable(
        {
            "method": np.full(4, "CIP", object),
            "side": np.array(["reference"] * 3 + ["prediction"], object),
            "class_index": np.ones(4, np.uint8),
            "area_px": np.array([9, 10, 24, 400]),
            "fate": np.array(["missed", "found", "misclassified", "spurious"], object),
        }
    )
    shares = fates_by_size(events, ("phagophore",), ["CIP"])["phagophore"]["CIP"]
    total = sum(shares.values())
    assert total[:2].tolist() == [1, 1]
    assert np.isnan(total[2:]).all()
    assert (shares["missed"][0], shares["found"][1]) == (1, 0.5)
    assert size_names()[:2] == ["0–9", "10–24"]


def test_figures_have_no_date_and_the_same_bytes_twice():
    one, two = (draw_confusions({"CIP": [[1, 0], [0, 1]]}, ["a", "b"]) for _ in range(2))
    assert one.svg == two.svg
    assert not re.search(rb"<dc:date>", one.svg)


def test_the_page_shows_detection_at_two_thresholds_and_the_csv_at_all():
    table = detection_table(count({"CIP": [SHIFTED]}, [TRUTH]), ["CIP"])
    shown = table.texts()
    assert len(shown) == 3 * 2 * 2  # classes and all events, modes, thresholds
    assert {row[4] for row in shown} == {"0.1", "0.5"}
    assert len(table.rows) == 3 * 2 * 19
    # phagophores: one halved (IoU 0.5), one alike; an autolysosome called phagophore is a false one
    assert table.rows[1] == (
        "phagophore",
        "CIP",
        "reference",
        "one to one",
        0.1,
        1.0,
        pytest.approx(2 / 3),
        0.8,
        pytest.approx(2 / 3),
    )


def test_the_first_screen_says_where_to_look_and_draws_the_answer():
    table = count({"CIP": [SHIFTED] * 6, "CDL": [TRUTH] * 5 + [SHIFTED]}, [TRUTH] * 6)
    comparison = compare_methods(table, data_set_metrics(ROSELLA), n_resamples=99, rng=np.random.default_rng(0))
    look = say_where_to_look(table, comparison)
    assert look.startswith("Look first at f5, ")
    error = "misclassified autolysosome (1 of 12 events), its commonest error."
    assert look.endswith(f" where CDL scores lowest, and at {error}")
    svg = draw_answer(comparison).svg.decode()
    assert "CDL − CIP" in svg
    assert "← CIP better      CDL better →" in svg
    perfect = count({"CDL": [TRUTH] * 2}, [TRUTH] * 2)
    alone = compare_methods(perfect, data_set_metrics(ROSELLA), n_resamples=9, rng=np.random.default_rng(0))
    assert say_where_to_look(perfect, alone).endswith("where CDL scores lowest; no event of it is wrong.")
    assert draw_answer(alone).name == "answer"


@pytest.mark.parametrize(
    ("n_columns", "pixel_size_um", "label", "share"),
    [(100, 1.0, "20 µm", 0.2), (80, 1.0, "20 µm", 0.25), (8, 0.2152, "0.2 µm", 0.116), (1000, 5.0, "1000 µm", 0.2)],
)
def test_a_scale_bar_is_the_longest_round_length_within_a_quarter_of_the_width(n_columns, pixel_size_um, label, share):
    assert choose_scale_bar(n_columns, pixel_size_um) == ScaleBar(share, label)


@pytest.mark.parametrize(("n_columns", "pixel_size_um"), [(0, 1.0), (8, None), (8, 0.0)])
def test_without_pixels_or_their_size_there_is_no_scale_bar(n_columns, pixel_size_um):
    assert choose_scale_bar(n_columns, pixel_size_um) is None


def test_every_picture_enlarges_and_the_image_alone_has_the_bar_and_its_colours_named():
    view = FieldView(np.zeros((2, 6, 8), np.uint16), TRUTH, {"CIP": TRUTH}, pixel_size_um=0.5)
    shown = show_fields("Why", [("f1", "")], lambda _: view, classes=ROSELLA, channel_names=("DsRed", "pHluorin"))
    page = render_page(Report("T", "V", "doubt", (), (), (Section("a", "A", "", (shown,)),)))
    assert page.count('<input type="checkbox"') == len(shown.rows[0].pictures) == 4
    assert page.count('<span class="bar" style="width:25.0%">1 µm</span>') == 1
    assert "--ratio:1.3333" in page
    assert "image (DsRed magenta, pHluorin green)" in page
    assert [word for _, word in shown.legends[0].entries] == ["phagophore (green)", "autolysosome (purple)"]
    assert ("#D55E00", "missed (vermilion)") in shown.legends[1].entries


def test_the_smallest_possible_p_is_told_as_a_bound():
    rng = np.random.default_rng(0)
    for n, words in ((6, "permutation p at most 0.0312"), (3, "permutation p at most 0.2500")):
        table = count({"CIP": [SHIFTED] * n, "CDL": [TRUTH] * n}, [TRUTH] * n)
        assert words in judge(compare_methods(table, data_set_metrics(ROSELLA), n_resamples=999, rng=rng))[1]
    table = count({"CIP": [SHIFTED, TRUTH] * 3, "CDL": [TRUTH, SHIFTED] * 3}, [TRUTH] * 6)
    equal = compare_methods(table, data_set_metrics(ROSELLA), n_resamples=99, rng=rng)
    assert "permutation p = 1.0000" in judge(equal)[1]
