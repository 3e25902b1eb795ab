"""The image files of a folder as a person keeps it: sub-folders, hidden files of other systems, one file a channel."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from noisylabels.data.errors import InputError
from noisylabels.data.ids import image_id
from noisylabels.data.images import IMAGE_SUFFIXES, TIFF
from noisylabels.data.tiff import read_layout

SIDE_FILES = ("thumbs.db", "desktop.ini")

CHANNEL_WORDS = (
    *(
        "dapi",
        "hoechst",
        "gfp",
        "egfp",
        "yfp",
        "cfp",
        "rfp",
        "mcherry",
        "dsred",
        "tdtomato",
        "phluorin",
        "fitc",
        "tritc",
    ),
    *("cy3", "cy5", "texasred", "alexa488", "alexa568", "alexa647", "bf", "brightfield", "phase", "dic"),
)
"""Last words of file names that tell a channel, beside `ch1`, `c1`, `w1` and `channel1`."""

_CHANNEL = re.compile(rf"^(.+?)[_\-. ]((?:ch|c|w|channel)\d{{1,2}}|{'|'.join(CHANNEL_WORDS)})$", re.IGNORECASE)


class Source(NamedTuple):
    """One image to import.

    Attributes:
        id: Its name in the dataset folder.
        group: The sub-folder it lies in, "" at the top.
        paths: Its files, one or one a channel.
        time: Its time point in the file, from 0; None where the file holds no other.
        stack: The id of the file that holds its time points; "" where there is one only.
    """

    id: str
    group: str
    paths: tuple[Path, ...]
    time: int | None = None
    stack: str = ""


def find_files(source: str | Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> list[Path]:
    """List the files of a folder and its sub-folders, sorted; a single file is a list of itself.

    What other systems leave behind (`._a.tif`, `.DS_Store`, `Thumbs.db`) is passed over, hidden folders too.

    Args:
        source: A folder, or one file.
        suffixes: How a name may end, in lower case.

    Raises:
        FileNotFoundError: If there is no such path, or nothing in it; the message says what there is instead.
    """
    root = Path(source)
    if root.is_file():
        return [root]
    if not root.is_dir():
        msg = f"{source} must be a folder of images or an image file, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    seen = sorted(path for path in root.rglob("*") if path.is_file() and not _is_side_file(path.relative_to(root)))
    found = [path for path in seen if path.name.lower().endswith(tuple(suffixes))]
    if not found:
        names = ", ".join(path.name for path in seen[:3]) + (", ..." if len(seen) > 3 else "")
        got = f"{len(seen)} other files ({names})" if seen else "nothing"
        msg = f"{source} must hold files that end in {', '.join(suffixes)}, got {got}. Check the path."
        raise FileNotFoundError(msg)
    return found


def name_file(path: Path, root: Path) -> str:
    """Return the id of a file below a folder: its name without suffix, behind the names of its sub-folders.

    Letters are composed (Unicode NFC), so that a name written by macOS is the same name.

    Examples:
        >>> name_file(Path("raw/day 1/a.ome.tif"), Path("raw"))
        'day 1_a'
    """
    above = path.relative_to(root).parts[:-1] if path != root else ()
    return unicodedata.normalize("NFC", "_".join([*above, image_id(path)]))


def name_files(paths: Sequence[Path], root: Path) -> dict[str, Path]:
    """List every file of a folder.

    Returns:
        Path by id, in the order given.

    Raises:
        InputError: If two files have one id, as `a.tif` and `a.png` have, or names that differ in case only.
    """
    named = {path: name_file(path, root) for path in paths}
    seen: dict[str, Path] = {}
    for path, name in named.items():
        twin = seen.setdefault(name.casefold(), path)
        if twin is not path:
            msg = f"Files of {root} must differ in more than case and suffix, got {twin.name}, {path.name}. Rename one."
            raise InputError(msg)
    return {name: path for path, name in named.items()}


def group_sources(named: dict[str, Path], root: Path) -> list[Source]:
    """Put the channels of one image together where every image has one file a channel.

    Names that end in `_ch1`, `_w2`, `-DAPI` and the like are channels of one image if all images have the same ones,
    two or more; otherwise each file is an image of its own. The first sub-folder is the group.

    Args:
        named: Path by id.
        root: The folder they lie in.

    Examples:
        >>> files = {f"{name}_ch{i}": Path(f"raw/{name}_ch{i}.tif") for name in "ab" for i in (1, 2)}
        >>> [(source.id, len(source.paths)) for source in group_sources(files, Path("raw"))]
        [('a', 2), ('b', 2)]
    """
    by_image: dict[str, dict[str, str]] = {}
    for name in named:
        match = _CHANNEL.match(name)
        if match is None:
            return [Source(name, _group(path, root), (path,)) for name, path in named.items()]
        by_image.setdefault(match[1], {})[match[2].lower()] = name
    channels = [tuple(sorted(found)) for found in by_image.values()]
    if len(set(channels)) != 1 or len(channels[0]) < 2:
        return [Source(name, _group(path, root), (path,)) for name, path in named.items()]
    return [
        Source(image, _group(named[found[channels[0][0]]], root), tuple(named[found[word]] for word in channels[0]))
        for image, found in by_image.items()
    ]


def split_times(sources: Sequence[Source]) -> list[Source]:
    """Make an image of each time point where a TIFF holds several: `movie.tif` becomes `movie_t1`, `movie_t2`, ...

    Args:
        sources: The images; those of one file a channel stay as they are.
    """
    found: list[Source] = []
    for source in sources:
        path = source.paths[0]
        is_tiff = len(source.paths) == 1 and path.name.lower().endswith(TIFF)
        n_times = read_layout(path).n_times if is_tiff else 1
        digits = len(str(n_times))
        found += (
            [
                source._replace(id=f"{source.id}_t{time + 1:0{digits}}", time=time, stack=source.id)
                for time in range(n_times)
            ]
            if n_times > 1
            else [source]
        )
    return found


def channel_words(sources: Sequence[Source]) -> tuple[str, ...]:
    """Return what the file names call the channels, () where an image is one file.

    Examples:
        >>> channel_words([Source("a", "", (Path("a_DAPI.tif"), Path("a_GFP.tif")))])
        ('DAPI', 'GFP')
    """
    paths = sources[0].paths
    matches = [_CHANNEL.match(image_id(path)) for path in paths]
    return tuple(match[2] for match in matches if match) if len(paths) > 1 else ()


def _group(path: Path, root: Path) -> str:
    parts = path.relative_to(root).parts if path != root else ()
    return parts[0] if len(parts) > 1 else ""


def _is_side_file(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts) or path.name.lower() in SIDE_FILES
