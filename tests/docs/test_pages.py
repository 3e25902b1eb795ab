"""Pages in docs/: every command runs, every link leads somewhere, the reference is what the code makes."""

import re
from pathlib import Path

import pytest

from docs.reference import write_reference
from tests.docs.pages import ROOT, SHARED, name_heading, read_blocks, read_links, read_part, run_blocks

DOCS = ROOT / "docs"
ROOMS = (
    *(f"noisylabels/{room}" for room in ("cip", "plates", "noise", "learning", "screening", "annotation")),
    *("noisylabels/experiments", "noisylabels/experiments/paper", "evaluation", "bundles/cdl/docs", "bundles/mdl/docs"),
)
PAGES = sorted(path for folder in (".", "docs", *ROOMS) for path in (ROOT / folder).glob("*.md"))
TUTORIAL, PART_TWO = (DOCS / "tutorial.md").read_text().split("# Part two: your own TIFFs")


@pytest.mark.filterwarnings("ignore:parsing config_file")
def test_the_tutorial_leads_from_a_plate_to_numbers_per_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    smaller = {
        "--fields 96": "--fields 14",
        "--rows 256 --columns 340": "--rows 48 --columns 64",
        "--fields-per-well 2": "--fields-per-well 1",
        "--num_epochs 5": "--num_epochs 1",
        "--num_epochs 10": "--num_epochs 1",
        "--out compared": "--out compared --resamples 20 --gallery 1",
        "range(24)": "range(12)",
        "--checkpoint runs/mdl/model.pt": "--checkpoint runs/mdl/model.pt --workers 0",
    }
    assert run_blocks(read_blocks(TUTORIAL), source="docs/tutorial.md", smaller=smaller) >= 20
    for page in ("survey/report.html", "compared/report.html", "run/measurements/report.html"):
        assert (tmp_path / page).is_file()
    assert len(list((tmp_path / "screen/labels/cdl").glob("*.tif"))) == 14
    assert "condition" in (tmp_path / "run/measurements/wells.csv").read_text().splitlines()[0]


@pytest.mark.shared_data
@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the real images lie beside the checkout")
def test_the_tutorial_works_on_a_folder_of_real_tiffs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    smaller = {"cp ../shared/data/real_two_channel_unlabelled/speckles_h2ax_hoechst.tif mine\n": ""}  # the largest
    assert run_blocks(read_blocks(PART_TWO), source="docs/tutorial.md", smaller=smaller) == 3
    assert (tmp_path / "own_report/report.html").is_file()


@pytest.mark.filterwarnings("ignore:parsing config_file")
def test_own_images_of_one_channel_and_two_classes_go_from_files_to_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    smaller = {
        "--rows 192 --columns 256": "--rows 64 --columns 80",
        "side = 192": "side = 64",
        "[128,128]": "[32,32]",
        "--num_epochs 8": "--num_epochs 1",
        "--out evaluation": "--out evaluation --resamples 20 --gallery 1",
    }
    assert run_blocks(read_blocks((DOCS / "own-data.md").read_text()), source="docs/own-data.md", smaller=smaller) == 7
    for page in ("survey/report.html", "evaluation/report.html"):
        assert (tmp_path / page).is_file()


def test_the_reference_is_what_the_code_makes():
    made = write_reference()
    page = (DOCS / "reference.md").read_text()
    assert page == made, "Make it anew: python -m docs.reference docs/reference.md"


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text()
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in read_links(index)}
    pages = {path.resolve() for path in PAGES if path.name == "README.md" or path.parent == DOCS}
    assert pages - listed - {(DOCS / "README.md").resolve()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = page.read_text()
    for link in read_links(text):
        place, _, part = link.partition("#")
        target = page if not place else page.parent / place
        assert target.exists(), f"{page.relative_to(ROOT)} points at {link}"
        if part:
            headings = [line.lstrip("#") for line in target.read_text().splitlines() if line.startswith("#")]
            assert part in {name_heading(heading) for heading in headings}, f"{page.relative_to(ROOT)} points at {link}"


def test_no_command_of_the_new_pages_is_left_out():
    """Commands in blocks of another kind would be shown and not run."""
    for name in ("tutorial.md", "own-data.md", "gallery.md"):
        kinds = {block.language for block in read_blocks((DOCS / name).read_text())}
        assert kinds <= {"console", "python"}, name


def test_every_picture_of_the_gallery_is_small_and_told_how_it_was_made():
    text = (DOCS / "gallery.md").read_text()
    pictures = [Path(link) for link in read_links(text) if link.endswith((".png", ".svg"))]
    assert len(pictures) >= 6
    for picture in pictures:
        assert (DOCS / picture).stat().st_size < 250_000, picture
    commands = read_part(text, "## How they are made")
    assert [picture.name for picture in pictures if picture.name not in commands] == []


def test_no_line_of_prose_is_longer_than_120_characters():
    """Pages that a command of ours writes are as long as their numbers; tables, links and code cannot be broken."""
    made = {ROOT / "CHANGELOG.md", *(DOCS / f"{name}.md" for name in ("reference", "benchmarks", "paper"))}
    made |= {*(DOCS / "experiments").glob("*/*.md")}
    pages = [
        path for place in ("docs", "noisylabels", "evaluation", "bundles") for path in (ROOT / place).rglob("*.md")
    ]
    pages = [path for path in [*pages, *ROOT.glob("*.md")] if path not in made and "node_modules" not in path.parts]
    assert len(pages) > 20
    long = []
    for page in pages:
        fenced = False
        for number, line in enumerate(page.read_text().splitlines(), start=1):
            fenced ^= line.startswith("```")
            apart = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", "x", line)
            prose = not fenced and not line.startswith(("|", "    ")) and " " in apart
            if prose and len(line) > 120:
                long.append(f"{page.relative_to(ROOT)}:{number}")
    assert long == []


def test_no_text_runs_a_benchmark_as_a_file_which_would_shadow_the_room_evaluation():
    texts = [*ROOT.glob("*.md"), ROOT / "Makefile", *(ROOT / "benchmarks").glob("*.py")]
    texts += [path for place in ("docs", "noisylabels", "evaluation") for path in (ROOT / place).rglob("*.md")]
    pattern = "python " + "benchmarks/"
    assert [path.name for path in texts if pattern in path.read_text() and path.name != "CHANGELOG.md"] == []
