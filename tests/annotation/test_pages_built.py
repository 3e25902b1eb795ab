"""The built pages: made from the sources beside them, obedient to the policy, in the wheel. No Node is needed here."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "noisylabels/annotation/web"
DIST = WEB / "dist"
PAGES = sorted(DIST.glob("*.html"))


def sources():
    """The files that the build hashes (`sources.ts`), by name."""
    top = [path for path in WEB.iterdir() if path.suffix in (".html", ".ts", ".json")]
    below = [path for name in ("src", "public") for path in (WEB / name).rglob("*") if path.is_file()]
    return {path.relative_to(WEB).as_posix(): path for path in (*top, *below)}


def test_dist_is_the_build_of_the_sources():
    digest = hashlib.sha256()
    for name, path in sorted(sources().items()):
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    built = (DIST / "source.sha256").read_text().strip()
    assert built == digest.hexdigest(), f"{DIST} is old. In {WEB}: npm ci && npm run build."


def test_every_page_is_built():
    assert [path.name for path in PAGES] == ["boxes.html", "correct.html", "index.html", "rate.html"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_asks_for_its_own_files_only_and_has_nothing_inline(page):
    text = page.read_text()
    asked = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert asked
    for address in asked:
        assert address.startswith("/"), address
        if "." in address:
            assert (DIST / address[1:]).is_file(), address
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_part_that_can_be_used_has_a_name(page):
    text = page.read_text()
    assert re.search(r'<html lang="en">', text)
    for button, inside in re.findall(r"<button([^>]*)>(.*?)</button>", text, re.DOTALL):
        words = re.sub(r"<kbd>.*?</kbd>|<[^>]*>|\s", "", inside)
        assert words or "aria-label=" in button, button
    for dialog in re.findall(r"<dialog[^>]*>", text):
        assert "aria-labelledby=" in dialog


def test_scripts_call_nobody_else():
    for script in (DIST / "assets").glob("*.js"):
        addresses = set(re.findall(r"https?://[\w.-]+", script.read_text()))
        assert addresses <= {"http://www.w3.org"}, script.name


def test_the_wheel_carries_the_pages_and_not_their_sources():
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling builds the wheel")
    packed = {file.distribution_path for file in wheel.WheelBuilder(str(WEB.parents[2])).recurse_included_files()}
    built = {path.relative_to(WEB.parents[2]).as_posix() for path in DIST.rglob("*") if path.is_file()}
    assert built <= packed
    assert not [path for path in packed if re.match(r"noisylabels/annotation/web/(src|tests|node_modules)/", path)]


def test_the_modules_pass_their_own_tests():
    if not (WEB / "node_modules/.bin/vitest").exists() or shutil.which("node") is None:
        pytest.skip("Vitest is not installed here: the modules' own tests are left out. In annotation/web: npm ci.")
    run = subprocess.run(["node_modules/.bin/vitest", "run"], cwd=WEB, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
