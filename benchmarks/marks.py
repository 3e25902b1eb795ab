"""Tables between two marks of a page: what a benchmark writes into a text that people wrote."""

from pathlib import Path

from noisylabels.data.atomic import write_text


def replace_between(page: Path, begin: str, end: str, text: str) -> None:
    """Replace the lines between two marks of a page, which stay; the rest of the page is not touched."""
    head, _, rest = page.read_text().partition(begin)
    write_text(page, f"{head}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
