"""The one way in which pages are read and their commands are run."""

import re
import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from noisylabels.cli import main

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


class Block(NamedTuple):
    """A fenced block of a page: its language, its text and the line it begins in."""

    language: str
    text: str
    line: int


def read_blocks(page: str) -> list[Block]:
    """Find the fenced blocks of a page, in order."""
    found = re.finditer(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [Block(match[1], match[2], page[: match.start()].count("\n") + 1) for match in found]


def read_part(page: str, heading: str) -> str:
    """Take what stands under a heading, up to the next of its rank."""
    marks = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^{marks} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def read_links(page: str) -> list[str]:
    """List where a page points at, pictures too, but for addresses on the web."""
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", prose)


def name_heading(heading: str) -> str:
    """Name a heading as GitHub does in its address."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def run_blocks(blocks: Iterable[Block], *, source: str, smaller: Mapping[str, str] | None = None) -> int:
    """Run blocks in order, in this process and in the working folder, as a reader would copy them.

    Args:
        blocks: Of the languages console, bash and python.
        source: The page, for errors.
        smaller: Text -> what stands for it, so that sizes take seconds. Each must be in some block.

    Returns:
        How many commands of `noisylabels` were run.
    """
    n_commands = 0
    unused = set(smaller or {})
    for block in blocks:
        text = block.text
        for large, small in (smaller or {}).items():
            if large in text:
                unused.discard(large)
                text = text.replace(large, small)
        if block.language == "python":
            exec(compile(text, f"{source}:{block.line}", "exec"), {})
            continue
        for line in filter(None, text.splitlines()):
            n_commands += run_line(line, source=f"{source}:{block.line}")
    assert not unused, f"{source} no longer says {sorted(unused)}"
    return n_commands


def run_line(line: str, *, source: str) -> int:
    """Run one line of a shell; 1 if it was a command of ours. It must end with exit code 0."""
    words = shlex.split(line.removeprefix("$ "), comments=True)
    if words[0] == "mkdir":
        Path(words[1]).mkdir()
    elif words[0] == "cp":
        shutil.copy(str(SHARED.parent / words[1].removeprefix("../")) if "shared" in words[1] else words[1], words[2])
    else:
        assert words[0] == "noisylabels", f"{source}: {line}"
        with pytest.raises(SystemExit) as stop:
            main(words[1:])
        assert not stop.value.code, f"{source}: {line}"
        return 1
    return 0
