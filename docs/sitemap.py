"""Which files of the repository become pages of the site, under the very paths that they have in it.

MkDocs takes one folder of pages. Ours stand beside the code that they describe, and point at each other and at files by
their paths in the repository; so every page is taken from there, and whatever a page points at comes along.
"""

import re
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "bundles", "evaluation", "noisylabels", "benchmarks")
NOT_PAGES = ("node_modules",)
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name headings in addresses as GitHub does, so that a link works in both places."""
    slugify: Callable[[str, str], str] = name_heading
    config.mdx_configs["toc"]["slugify"] = slugify
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by the pages of the repository and what they point at."""
    ours = Path(config.docs_dir)
    kept = [file for file in files if Path(file.src_dir or "") != ours]
    wanted = sorted(list_pages() | {target for page in list_pages() for target in list_targets(page)})
    made = [File(path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, False) for path in wanted]
    return Files([*kept, *made])


def list_pages() -> set[Path]:
    """List the Markdown files of the repository that a reader wants."""
    found = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
    return {path for path in found if not set(NOT_PAGES) & set(path.parts)}


def list_targets(page: Path) -> set[Path]:
    """List the files that a page points at, pictures and tables; what is not there is left to the strict build."""
    targets = {(page.parent / link).resolve() for link in LINK.findall(page.read_text())}
    return {path for path in targets if path.is_file() and path.is_relative_to(ROOT)}


def name_heading(heading: str, separator: str = "-") -> str:
    """Name a heading as GitHub does in its address.

    Examples:
        >>> name_heading("Edge cases: what is refused")
        'edge-cases-what-is-refused'
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)
