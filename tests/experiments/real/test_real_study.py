"""The study on real images, rehearsed on small drawn folders that are laid out as the real ones."""

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics.count_files import read_counts
from noisylabels.cli import main
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_label_map
from noisylabels.experiments.real import settings, study
from noisylabels.experiments.real.annotator_data import CONSENSUS, experts_of, fuse, name_others, read_labs
from noisylabels.experiments.real.nuclei import METHODS, choose_few
from noisylabels.experiments.real.settings import RealSettings
from noisylabels.experiments.real.study import run_real_study
from tests.docs.pages import read_blocks
from tests.running import run_command

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"
README = ROOT / "noisylabels" / "experiments" / "real" / "README.md"
PAGE = ROOT / "docs" / "real-study.md"
TINY = RealSettings(
    split=(0.5, 0.25, 0.25),
    epochs=1,
    few=2,
    few_validation=1,
    patch=32,
    resamples=50,
    overrides={"network_def::channels": [4, 8], "network_def::strides": [1]},
)
SIZE = 48
CARELESS = {("lab-a", 3), ("lab-b", 2)}


def draw_cells(rng, *, n=4):
    """A dark image with bright discs, and the numbers of the discs."""
    rows, columns = np.ogrid[:SIZE, :SIZE]
    numbers = np.zeros((SIZE, SIZE), np.uint8)
    for number in range(1, n + 1):
        row, column = rng.integers(8, SIZE - 8, 2)
        numbers[(rows - row) ** 2 + (columns - column) ** 2 <= 25] = number
    image = np.where(numbers > 0, 180, 20) + rng.integers(0, 20, (SIZE, SIZE))
    return image.astype(np.uint8), numbers


def write_png(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_label_map(path, array)


@pytest.fixture(scope="module")
def nuclei(tmp_path_factory):
    """Eight images in four groups of two tiles."""
    folder, rng = tmp_path_factory.mktemp("nuclei"), np.random.default_rng(0)
    with (folder / "index.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "group"])
        for place in range(8):
            image, numbers = draw_cells(rng)
            write_png(folder / "images" / f"n{place}.png", image)
            write_png(folder / "labels_curated" / f"n{place}.png", numbers)
            table.writerow([f"n{place}", f"g{place // 2}"])
    return folder


@pytest.fixture(scope="module")
def annotators(tmp_path_factory):
    """Laboratory a: eight images, three experts; b: three images, two experts; each last one misses the first discs."""
    folder, rng = tmp_path_factory.mktemp("annotators"), np.random.default_rng(1)
    with (folder / "index.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "lab", "group"])
        for lab, n_images, experts in (("lab-a", 8, (1, 2, 3)), ("lab-b", 3, (1, 2))):
            for place in range(n_images):
                name = f"{lab}_{place}"
                image, numbers = draw_cells(rng)
                write_png(folder / "images" / f"{name}.png", image)
                for expert in experts:
                    drawn = numbers > (1 if (lab, expert) in CARELESS else 0)
                    write_png(folder / "labels" / f"expert_{expert}" / f"{name}.png", np.uint8(255) * drawn)
                table.writerow([name, lab, ""])
    ignored = np.zeros((SIZE, SIZE), np.uint8)
    ignored[:, : SIZE // 2] = 255
    write_png(folder / "ignored_regions" / "lab-b_0.png", ignored)
    return folder


@pytest.fixture(scope="module")
def study_of_nuclei(nuclei, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "nuclei"
    run_real_study("nuclei", nuclei, folder, seeds=(0, 1), settings=TINY)
    return folder


@pytest.fixture(scope="module")
def study_of_annotators(annotators, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "annotators"
    run_real_study("annotators", annotators, folder, seeds=(0,), settings=TINY)
    return folder


def read_rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_teacher_cdl_and_both_mdls_are_scored_against_the_curated_masks(study_of_nuclei):
    rows = read_rows(study_of_nuclei / "page" / "scores.csv")
    assert [row["method"] for row in rows if row[""] == "all seeds"] == list(METHODS)
    assert [row[""] for row in rows[::4]] == ["all seeds", "seed-0", "seed-1"]
    assert len(read_rows(study_of_nuclei / "page" / "differences.csv")) == 3 * 6
    page = (study_of_nuclei / "page" / "README.md").read_text()
    assert "noisylabels real-study nuclei DATA --seeds 0,1 --out OUT" in page
    assert (study_of_nuclei / "report.html").is_file()


def test_the_teacher_has_one_score_whatever_the_seed(study_of_nuclei):
    """Two seeds share the split, so the counts of both added up are twice those of one."""
    rows = [row for row in read_rows(study_of_nuclei / "page" / "scores.csv") if row["method"] == "CIP"]
    assert len({row["MeanIoU"] for row in rows}) == 1


def test_mdl_sees_the_curated_masks_of_few_images_and_no_test_image(study_of_nuclei):
    whole = open_dataset(study_of_nuclei / "shared" / "fields")
    few = open_dataset(study_of_nuclei / "seed-0" / "networks" / "mdl-fields")
    assert sorted(few.ids()) == sorted(choose_few(whole, TINY, seed=0))
    assert (len(few.ids("training")), len(few.ids("validation")), few.ids("test")) == (2, 1, [])
    for name in few.ids():
        assert (few.label_map("curated", name) == whole.label_map("truth", name)).all()


def test_cdl_sees_no_curated_mask(study_of_nuclei):
    done = json.loads((study_of_nuclei / "seed-0" / "steps" / "cdl.json").read_text())
    words = shlex.split(done["commands"][0])
    assert words[words.index("--bundle_root") + 1].endswith("cdl")
    assert "--label_name" not in words  # the bundle's own: the labels of the CIP


def test_seeds_differ_in_the_curated_images(study_of_nuclei):
    whole = open_dataset(study_of_nuclei / "shared" / "fields")
    assert len({tuple(choose_few(whole, TINY, seed=seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize(("name", "home", "step"), [("nuclei", "seed-1", "counts"), ("annotators", "seed-0", "counts")])
def test_a_study_started_again_does_only_what_was_lost(name, home, step, request, tmp_path):
    folder, data = request.getfixturevalue(f"study_of_{name}"), request.getfixturevalue(name)
    lost = folder / home / "steps" / f"{step}.json"
    before, seeds = json.loads(lost.read_text()), (0, 1) if name == "nuclei" else (0,)
    page = (folder / "page" / "README.md").read_text()
    lost.unlink()
    said = []
    run_real_study(name, data, folder, seeds=seeds, settings=TINY, say=said.append)
    assert [line.split(":")[0] for line in said] == [f"{home} {step}"]
    assert {**json.loads(lost.read_text()), "seconds": 0} == {**before, "seconds": 0}
    assert (folder / "page" / "README.md").read_text() == page


def test_an_expert_is_held_against_the_consensus_of_the_others_alone(study_of_annotators):
    lab = open_dataset(study_of_annotators / "shared" / "lab-a")
    for name in lab.ids():
        # Two who agree are their own consensus, whatever the third drew.
        assert (lab.label_map(name_others("expert-3"), name) == lab.label_map("expert-1", name)).all()
    pair = open_dataset(study_of_annotators / "shared" / "lab-b")
    for one, other in (("expert-1", "expert-2"), ("expert-2", "expert-1")):
        assert (pair.label_map(name_others(one), "lab-b_1") == pair.label_map(other, "lab-b_1")).all()
    assert (pair.label_map("expert-1", "lab-b_1") != pair.label_map("expert-2", "lab-b_1")).any()
    agreement = json.loads((study_of_annotators / "shared" / "steps" / "lab-a-agreement.json").read_text())
    assert [values[0] == 1 for _, _, values in agreement["pairs"]] == [True, False, True, False, False, False]
    # STAPLE of one who misses a disc and one who does not may side with either; the third expert is below 1 for sure.
    assert agreement["against_others"]["expert-3"][0] < 1


def test_ignored_regions_count_for_nobody(study_of_annotators):
    lab = open_dataset(study_of_annotators / "shared" / "lab-b")
    assert not lab.label_map("expert-1", "lab-b_0")[:, : SIZE // 2].any()
    assert lab.label_map("expert-1", "lab-b_1")[:, : SIZE // 2].any()
    assert lab.label_map("ignored", "lab-b_0").sum() == SIZE * SIZE // 2
    assert not lab.label_map("ignored", "lab-b_1").any()


def test_what_is_drawn_in_an_ignored_region_changes_no_consensus():
    rng = np.random.default_rng(3)
    ignored = rng.random((20, 20)) < 0.4
    masks = [(rng.random((20, 20)) < 0.3).astype(np.uint8) for _ in range(3)]
    others = [np.where(ignored, 1 - mask, mask) for mask in masks]
    fused = fuse(masks, ignored)
    assert (fused == fuse(others, ignored)).all()
    assert fused.any()
    assert not fused[ignored].any()
    assert not fuse(masks, np.ones((20, 20), bool)).any()


def test_every_expert_has_a_network_in_the_largest_laboratory_and_the_consensus_too(study_of_annotators):
    lab = open_dataset(study_of_annotators / "seed-0" / "fields")
    names = [f"network-{name}" for name in ("expert-1", "expert-2", "expert-3", CONSENSUS)]
    assert set(names) <= set(lab.label_names())
    table = read_counts(study_of_annotators / "seed-0" / "counts")
    held = set(zip(table.keys["reference"].tolist(), table.keys["method"].tolist(), strict=True))
    for one in ("expert-1", "expert-2", "expert-3"):
        assert (name_others(one), "expert") in held
        assert (one, "expert") not in held  # nobody is held against herself
        assert {(name_others(one), "her network"), (one, "her network")} <= held
    assert {(CONSENSUS, name) for name in names} <= held


def test_the_page_of_annotators_has_every_table(study_of_annotators):
    folder = study_of_annotators / "page"
    names = ("laboratories", "experts", "networks", "differences", "seeds", "own", "gold")
    assert sorted(path.stem for path in folder.glob("*.csv")) == sorted(names)
    assert {row["laboratory"]: row["experts"] for row in read_rows(folder / "laboratories.csv")} == {
        "lab-a": "3",
        "lab-b": "2",
    }
    assert "too narrow" in (folder / "README.md").read_text()  # two groups in the test images


def test_an_unknown_study_and_missing_data_are_one_sentence(tmp_path, capsys):
    message = "A study on real images must be one of nuclei, annotators, got 'cells'. Name one of them."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        run_real_study("cells", tmp_path, tmp_path / "out", seeds=(0,))
    assert run_command("real-study", "nuclei", tmp_path, "--out", tmp_path / "out") == 2
    assert f"{tmp_path} must hold images/ and labels" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"must list images with the columns id, lab and group, got no rows"):
        read_labs(tmp_path)


def test_one_expert_alone_is_refused(annotators):
    rows = [{"id": "lab-a_0", "lab": "lab-a", "group": ""}, {"id": "absent", "lab": "lab-a", "group": ""}]
    message = "Two experts or more must have annotated all images of lab-a, got none. Add their masks."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        experts_of(annotators, rows)


def test_settings_below_one_are_refused():
    with pytest.raises(InputError, match=r"^few must be a whole number from 1 on, got 0\. Correct it\.$"):
        RealSettings(few=0)


def test_another_study_in_the_same_folder_is_refused(study_of_nuclei, nuclei):
    with pytest.raises(InputError, match="must hold what was made with the same settings"):
        run_real_study("nuclei", nuclei, study_of_nuclei, seeds=(0,))


def test_the_commands_of_the_readme_run(nuclei, annotators, tmp_path, monkeypatch):
    """As they stand there, on drawn folders and at a size that takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "SETTINGS", dict.fromkeys(settings.SETTINGS, TINY))
    lines = [line for block in read_blocks(README.read_text()) for line in block.text.splitlines()]
    assert len(lines) == 2
    for line in lines:
        small = line.replace("../shared/data/dsb2018_nuclei", str(nuclei)).replace(" --seeds 0,1,2", " --seeds 0")
        with pytest.raises(SystemExit) as stop:
            main(shlex.split(small.replace("../shared/data/multirater_cfos", str(annotators)))[1:])
        assert not stop.value.code, line
    for name in ("nuclei", "annotators"):
        assert (tmp_path / name / "report.html").is_file()


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real images lie beside the checkout")
def test_the_real_folders_are_laid_out_as_expected():
    labs = read_labs(SHARED / "multirater_cfos")
    assert {lab: len(experts_of(SHARED / "multirater_cfos", rows)) for lab, rows in labs.items()} == {
        "lab-inns1": 4, "lab-inns2": 4, "lab-mue": 4, "lab-wue1": 5, "lab-wue2": 3,
    }  # fmt: skip
    assert (SHARED / "dsb2018_nuclei" / "labels_curated").is_dir()
