"""The pages as a site: it builds strictly, every picture and link of it holds, each page says what it is for."""

import logging
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from docs.sitemap import list_pages, name_heading
from tests.docs import pages
from tests.docs.pages import ROOT

PAGES = sorted(list_pages())
REPORTS = {*(ROOT / "docs/experiments").glob("*/*.md")}  # finding first


class Page(HTMLParser):
    """What a page of the site points at, the names of its places, and the alternative texts of its pictures."""

    def __init__(self, path):
        super().__init__()
        self.links, self.names, self.pictures = [], set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.names |= {found[key] for key in ("id", "name") if found.get(key)}
        self.links += [found[key] for key in ("href", "src") if found.get(key)]
        if tag == "img":
            self.pictures.append((found.get("src"), found.get("alt") or ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


@pytest.fixture(scope="module")
def built(site):
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_page_of_the_repository_is_a_page_of_the_site(site):
    for page in PAGES:
        place = page.relative_to(ROOT).with_suffix(".html")
        place = place.with_name("index.html") if place.stem == "README" else place
        assert (site / place).is_file(), page


def test_every_link_of_the_site_leads_somewhere(site, built):
    """Pages, files and places within a page; what stands on the web is not asked for."""
    broken = []
    for path, page in built.items():
        for link in page.links:
            place, _, part = unquote(link).partition("#")
            if re.match(r"[a-z]+:|//", place):
                continue
            target = (path.parent / place).resolve() if place else path
            known = target.is_file() and target.is_relative_to(site.resolve())
            if not known or (part and target in built and part not in built[target].names):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert len(built) > 40
    assert broken == []


def test_a_reader_fetches_nothing_from_elsewhere(site):
    for path in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="(https?:[^"]+)"', path.read_text())
        assert loaded == [], path


def test_the_search_knows_the_words_of_every_room(site):
    text = (site / "search/search_index.json").read_text()
    for word in ("phagophore", "noisylabels foresee", "Label map"):
        assert word in text


def test_every_picture_is_described_in_words(built):
    pictures = [(path.name, *picture) for path, page in built.items() for picture in page.pictures]
    assert len(pictures) > 20
    assert [picture for picture in pictures if len(picture[2].split()) < 3] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_begins_with_one_sentence_on_what_it_is_for(page):
    text = re.sub(r"<!--.*?-->\s*", "", page.read_text(), flags=re.DOTALL)
    title, lead = text.split("\n\n")[:2]
    assert title.startswith("# ")
    assert re.match(r"[\w*`\"]", lead), f"{page} begins with no prose"
    sentence = re.split(r"(?<=[.?:])\s", lead.replace("\n", " "), maxsplit=1)[0]
    assert len(sentence) <= 200 or page in REPORTS, sentence


def test_a_link_to_nothing_ends_the_build(tmp_path, caplog):
    """The strict build would be no check if it let this pass."""
    (tmp_path / "mkdocs.yml").write_text("site_name: broken\nstrict: true\ntheme: {name: null, custom_dir: theme}\n")
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme/main.html").write_text("{{ page.content }}")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# A page\n\n[nowhere](nothing.md)\n")
    caplog.set_level(logging.WARNING)
    with pytest.raises(Abort):
        build(load_config(str(tmp_path / "mkdocs.yml")))
    assert "nothing.md" in caplog.text


def test_a_heading_is_named_in_the_site_as_in_the_repository():
    for heading in ("Edge cases", "1. Where a network beats its teacher, and where it does not", "`val_mean_iou` & co"):
        assert name_heading(heading) == pages.name_heading(heading)
