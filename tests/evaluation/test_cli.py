import json
import re
from html.parser import HTMLParser
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH, make_dataset
from tests.running import run_command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    fields = [EMPTY, TRUTH, TRUTH, TRUTH, TRUTH, TRUTH]
    return make_dataset(
        tmp_path_factory.mktemp("data"),
        {"truth": fields, "cip": [EMPTY, *[SHIFTED] * 5], "cdl": [EMPTY, TRUTH, TRUTH, SHIFTED, TRUTH, TRUTH]},
    )


def evaluate(folder, out, *words):
    return run_command("evaluate", folder, "--out", out, "--resamples", 200, "--gallery", 1, *words)


@pytest.fixture(scope="module")
def evaluated(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated")
    assert evaluate(folder, out) == 0
    return out


def test_evaluate_reads_the_maps_that_ignore_index_is_for(tmp_path, capsys):
    partial = TRUTH.copy()
    partial[0] = 255
    folder = make_dataset(tmp_path / "data", {"truth": [partial] * 3, "cip": [SHIFTED] * 3, "cdl": [TRUTH] * 3})
    assert evaluate(folder, tmp_path / "out", "--ignore-index", 255) == 0
    pixels = pd.read_parquet(tmp_path / "out" / "counts.parquet").filter(like="pixels_as").to_numpy().sum()
    assert pixels == 2 * 3 * (TRUTH.size - 8)
    assert evaluate(folder, tmp_path / "refused") == 2
    assert "got 255 in 8 pixels. Map or drop that class first." in capsys.readouterr().err


class Page(HTMLParser):
    """Collects what a page would fetch, and its text."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.words, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and not value.startswith("#")]

    def handle_data(self, data):
        self.words.append(data)


def test_evaluate_writes_counts_tables_figures_and_a_report(evaluated):
    names = {path.relative_to(evaluated).as_posix() for path in evaluated.rglob("*.*")}
    assert names >= {
        "counts.parquet",
        "counts.csv",
        "events.parquet",
        "settings.json",
        "evaluation.json",
        "report.html",
        "tables/data_set_scores.csv",
        "tables/field_scores.csv",
        "tables/panoptic.csv",
        "figures/confusion.svg",
    }


def test_the_report_needs_no_network_and_no_script(evaluated):
    page = Page((evaluated / "report.html").read_text())
    assert page.addresses
    assert all(address.startswith("data:") for address in page.addresses)
    assert "script" not in page.tags
    words = " ".join(page.words)
    for expected in (
        "MeanIoU",
        "WeightedIoU",
        "errors of CDL",
        "P1_B02_f1",
        "SHA-256 of cip",
        f"noisylabels {version('noisylabels')}",
    ):
        assert expected in words


def test_the_table_holds_the_scores_counted_by_eye(evaluated):
    lines = (evaluated / "tables" / "class_scores.csv").read_text().splitlines()
    rows = {tuple(line.split(",")[:2]): line.split(",") for line in lines}
    # phagophore, CIP: 5 fields with 6 px, of which 4 found; 4 px of the misclassified autolysosome are false
    assert float(rows["phagophore", "IoU"][2]) == pytest.approx(4 / (6 + 4))
    assert float(rows["phagophore", "precision"][2]) == pytest.approx(4 / 8)
    assert float(rows["phagophore", "IoU"][5]) == pytest.approx((4 * 6 + 4) / (5 * 6 + 4))


def test_every_field_has_its_scores_and_every_class_its_panoptic_quality(evaluated):
    fields = pd.read_csv(evaluated / "tables" / "field_scores.csv")
    assert (fields["MeanIoU CDL"] == 1).sum() == 5  # the empty field and four of five; one is shifted
    panoptic = pd.read_csv(evaluated / "tables" / "panoptic.csv")
    assert list(panoptic)[:4] == ["class", "method", "reference", "PQ"]
    assert np.allclose(panoptic["PQ"], panoptic["SQ"] * panoptic["RQ"], equal_nan=True)
    cdl = panoptic.set_index(["class", "method"])["PQ"]["phagophore", "CDL"]
    assert cdl > panoptic.set_index(["class", "method"])["PQ"]["phagophore", "CIP"]


def test_report_writes_the_same_bytes_from_the_counts(evaluated, capsys):
    before = (evaluated / "report.html").read_bytes()
    (evaluated / "report.html").unlink()
    assert run_command("report", evaluated, "--gallery", 1) == 0
    told = capsys.readouterr().out
    assert (
        "No difference is shown between CDL and CIP" in told
    )  # four of six wells differ: 2 of 16 swaps are as extreme
    assert "the interval excludes 0 but the permutation test does not agree" in told
    assert re.search(r"^Next: .*\n  noisylabels annotate create \S+\.desk \S+ --start cdl$", told, re.MULTILINE)
    assert (evaluated / "report.html").read_bytes() == before


def test_a_missing_label_map_is_left_out_and_told(tmp_path, capsys):
    folder = make_dataset(tmp_path / "data", {"truth": [TRUTH, TRUTH], "cip": [TRUTH, None], "cdl": [SHIFTED, SHIFTED]})
    assert evaluate(folder, tmp_path / "out") == 3
    assert "left out cip/P1_B03_f1: " in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["skipped"].keys() == {"cip/P1_B03_f1"}
    assert "1 fields lack a method (P1_B03_f1)" in (tmp_path / "out" / "report.html").read_text()


def test_one_method_alone_is_reported(folder, tmp_path, capsys):
    assert evaluate(folder, tmp_path / "out", "--methods", "cip") == 0
    assert "it was compared with no other method" in capsys.readouterr().out


def test_three_methods_and_two_experts_are_reported(tmp_path):
    maps = {"expert_1": [TRUTH] * 4, "expert_2": [SHIFTED] * 4, "cip": [SHIFTED] * 4, "cdl": [TRUTH] * 4}
    folder = make_dataset(tmp_path / "data", maps | {"mdl": [TRUTH, TRUTH, EMPTY, TRUTH]}, wells=False)
    words = ("--methods", "cip,cdl,mdl", "--reference", "expert_1,expert_2", "--consensus", "majority")
    assert evaluate(folder, tmp_path / "out", *words) == 0
    text = (tmp_path / "out" / "tables" / "differences.csv").read_text()
    assert {"CDL − CIP", "MDL − CIP", "MDL − CDL"} <= set(re.split("[,\n]", text))
    assert not (tmp_path / "out" / "figures" / "plates.svg").exists()
    lines = (tmp_path / "out" / "tables" / "expert_iou.csv").read_text().splitlines()
    assert lines[0] == "prediction,against expert_1,against expert_2,against consensus"
    # CIP copies the second expert, CDL the first
    rows = {line.split(",")[0]: line.split(",")[1:] for line in lines[1:]}
    assert (rows["CIP"][1], rows["CDL"][0], rows["expert_1"][0]) == ("1.0", "1.0", "")
    assert rows["expert_1"][1] == rows["expert_2"][0] == rows["CIP"][0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "cip,watershed"], "A label set of {folder} must be one of: cdl, cip, truth; got 'watershed'."),
        (["--methods", "cip,truth"], "References and methods must be different label sets, got truth, cip, truth."),
        (
            ["--consensus", "staple"],
            "consensus must be majority or staple of two or more references, got 'staple' of truth. Name the experts.",
        ),
        (["--split", "training"], "Split 'training' must hold at least one field, got none."),
        (["--overlap", "circle"], "'circle' is not one of 'box', 'mask'. See noisylabels evaluate --help."),
    ],
    ids=["unknown method", "truth against itself", "consensus of one", "empty split", "unknown overlap"],
)
def test_a_mistake_gets_one_sentence_and_leaves_nothing(folder, tmp_path, capsys, words, message):
    assert evaluate(folder, tmp_path / "out", *words) == 2
    assert message.format(folder=folder) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_evaluation_is_refused(tmp_path, capsys):
    assert run_command("report", tmp_path) == 2
    assert f"{tmp_path} must be an evaluation folder with evaluation.json" in capsys.readouterr().err


SHEET = "rater,image,method,score,subset\n" + "".join(
    f"{rater},f{image},{method},{score + image % 3},{'easy' if image < 6 else 'hard'}\n"
    for rater in "AB"
    for image in range(12)
    for method, score in (("CIP", 3), ("CDL", 6))
)
COSTS = (
    "method,stage,scope,human_min,machine_s\nCIP,tuning,once,600,\nCDL,training,once,630,3600\nmanual,all,field,15,\n"
)


def test_ratings_are_reported(tmp_path, capsys):
    (tmp_path / "sheet.csv").write_text(SHEET)
    assert run_command("ratings", tmp_path / "sheet.csv", "--out", tmp_path / "out", "--ks", "matlab") == 0
    assert "CDL is scored higher than CIP by all raters together: a shift of +3.000" in capsys.readouterr().out
    page = (tmp_path / "out" / "report.html").read_text()
    assert "ignores that both methods were rated on the same images" in page
    assert (tmp_path / "out" / "tables" / "rating_subsets.csv").exists()


def test_a_bad_rating_sheet_tells_all_faults_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "sheet.csv").write_text(SHEET.replace("A,f0,CIP,3", "A,f0,CIP,0").replace("B,f1,CDL,7,easy\n", ""))
    assert run_command("ratings", tmp_path / "sheet.csv", "--out", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "row 2: score must be a whole number from 1 to 10, got '0'" in told
    assert "rater 'B', image 'f1': 'CDL' must be rated, got no score" in told
    assert not (tmp_path / "out").exists()


def test_ratings_costs_and_controls_join_the_report(evaluated, tmp_path):
    (tmp_path / "sheet.csv").write_text(SHEET)
    (tmp_path / "costs.csv").write_text(COSTS)
    (tmp_path / "wells.csv").write_text("well,kind\nB02,negative\nB03,positive\n")
    (tmp_path / "times.csv").write_text("activity,active_s\ncorrection,1800\ncorrection,1800\n")
    words = (
        "--times",
        f"MDL={tmp_path / 'times.csv'}",
        "--margin",
        0.5,
        "--ratings",
        tmp_path / "sheet.csv",
        "--costs",
        tmp_path / "costs.csv",
        "--controls",
        tmp_path / "wells.csv",
    )
    assert run_command("report", evaluated, "--gallery", 0, *words) == 0
    page = Page((evaluated / "report.html").read_text())
    words = " ".join(page.words)
    for expected in ("How surely", "When a method pays", "Z' of the controls"):
        assert expected in words
    assert "errors of CDL" not in words
    assert "MDL,correction,once,60.0,0.0" in (evaluated / "tables" / "costs.csv").read_text()
    assert "GlobalAccuracy,CDL − CIP," in (evaluated / "tables" / "equivalence.csv").read_text()


def test_without_a_split_the_test_fields_are_scored_and_it_is_said(folder, tmp_path, capsys):
    assert evaluate(folder, tmp_path / "out") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "split: test, 6 fields (what was trained on is left out; --split all takes every field)"
    assert json.loads((tmp_path / "out/evaluation.json").read_text())["split"] == "test"
    assert any(line.startswith("Events, phagophore: CIP ") for line in told)
    assert any(line.startswith("Next: ") for line in told)
    assert f"  noisylabels annotate create {folder}.desk {folder} --start cdl" in told


def test_another_evaluation_is_never_overwritten(folder, evaluated, capsys):
    before = (evaluated / "evaluation.json").read_bytes()
    assert evaluate(folder, evaluated, "--methods", "cdl") == 2
    assert capsys.readouterr().err.strip().endswith("got other methods. Name another folder with --out.")
    assert evaluate(folder, evaluated, "--min-area", 3) == 2
    assert capsys.readouterr().err.strip().endswith("got other settings. Name another folder with --out.")
    assert (evaluated / "evaluation.json").read_bytes() == before


def test_the_report_begins_with_a_typical_field_and_names_no_path_of_the_machine(folder, tmp_path):
    assert evaluate(folder, tmp_path / "out") == 0
    text = (tmp_path / "out/report.html").read_text()
    assert text.index("A typical field") < text.index('id="scores"') < text.index("SHA-256 of cip")
    assert str(folder.parent) not in text
    assert "What next?" in text
