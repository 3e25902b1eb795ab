"""Small plates in the formats of several instruments, for tests: every pixel value says where it belongs."""

from pathlib import Path

import numpy as np
import tifffile

SHARED = Path(__file__).parents[3] / "shared" / "data" / "hcs_plates"

HARMONY_V5 = "http://www.perkinelmer.com/PEHH/HarmonyV5"
HARMONY_V7 = "43B2A954-E3C3-47E1-B392-6635266B0DD3/HarmonyV7"


def picture(row: int, column: int, field: int, channel: int, z: int = 0, shape: tuple[int, int] = (6, 9)) -> np.ndarray:
    """Draw a plane whose first pixel is the number rccfcz of its place."""
    number = row * 10000 + column * 100 + field * 10 + channel + 5 * z
    return (np.arange(shape[0] * shape[1]).reshape(shape) + number).astype(np.uint16)


def write_pattern_plate(folder: Path, wells: tuple[str, ...] = ("B07", "C03"), n_fields: int = 2) -> Path:
    """Write `P1/B07_f1_c1.tif` and so on, two channels."""
    for well in wells:
        for field in range(1, n_fields + 1):
            for channel in (1, 2):
                path = folder / "P1" / f"{well}_f{field}_c{channel}.tif"
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, picture(ord(well[0]) - 64, int(well[1:]), field, channel))
    return folder


def harmony_image(row: int, column: int, field: int, channel: int, *, extra: str = "", url: str | None = None) -> str:
    """Write one `<Image>` of a Harmony index."""
    name = url or f"r{row:02d}c{column:02d}f{field:02d}p01-ch{channel}sk1fk1fl1.tiff"
    return (
        f"<Image Version='1'><id>{row:02d}{column:02d}K1F{field}P1R{channel}</id><State>Ok</State><URL>{name}</URL>"
        f"<Row>{row}</Row><Col>{column}</Col><FieldID>{field}</FieldID><PlaneID>1</PlaneID>"
        f"<TimepointID>0</TimepointID><ChannelID>{channel}</ChannelID>{extra}</Image>"
    )


def harmony_index(images: str, *, namespace: str = HARMONY_V5, maps: str = "", head: str = "") -> str:
    """Write a Harmony index around its images."""
    return (
        f"<?xml version='1.0' encoding='utf-8'?>{head}<EvaluationInputData xmlns='{namespace}'>"
        "<Plates><Plate><PlateID>P1</PlateID><Name>P1</Name><PlateRows>8</PlateRows><PlateColumns>12</PlateColumns>"
        f"<Well id='0207'/></Plate></Plates><Maps><Map>{maps}</Map></Maps><Images>{images}</Images>"
        "</EvaluationInputData>"
    )


def write_harmony_plate(folder: Path, *, namespace: str = HARMONY_V5) -> Path:
    """Write wells B07 and C03, two fields, two channels; version 7 names its channels in the maps only."""
    images = folder / "Images"
    images.mkdir(parents=True)
    named = "" if namespace == HARMONY_V7 else "<ChannelName>{}</ChannelName>"
    maps = "".join(
        f"<Entry ChannelID='{channel}'><ChannelName>{name}</ChannelName>"
        "<ImageResolutionX Unit='m'>2.152E-07</ImageResolutionX></Entry>"
        for channel, name in ((2, "DsRed"), (1, "pHluorin"))
    )
    text = ""
    for row, column in ((3, 3), (2, 7)):
        for field in (2, 1):
            for channel, name in ((1, "pHluorin"), (2, "DsRed")):
                text += harmony_image(row, column, field, channel, extra=named.format(name))
                path = images / f"r{row:02d}c{column:02d}f{field:02d}p01-ch{channel}sk1fk1fl1.tiff"
                tifffile.imwrite(path, picture(row, column, field, channel))
    (images / "Index.xml").write_text(harmony_index(text, namespace=namespace, maps=maps), encoding="utf-8-sig")
    return folder


def write_flex(
    path: Path, pages: list[np.ndarray], names: list[str], *, well: tuple[int, int], factors: list[float] | None = None
) -> None:
    """Write one `.flex` file with the stray sign that real ones may have at the end of their XML."""
    arrays = "".join(
        f'<Array Name="{name}" Factor="{factor}"/>'
        for name, factor in zip(names, factors or [1] * len(names), strict=True)
    )
    xml = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><Root><FLEX><Plate><PlateName>P1</PlateName><XSize>24</XSize>'
        f'<YSize>16</YSize></Plate><WellCoordinate Row="{well[0]}" Col="{well[1]}"/>'
        f'<ImageResolutionX Unit="m">2.152E-07</ImageResolutionX><Arrays>{arrays}</Arrays></FLEX></Root>>%'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    tag = [(65200, "s", 0, xml, True)]
    with tifffile.TiffWriter(path) as writer:
        for number, page in enumerate(pages):
            writer.write(page, extratags=tag if number == 0 else [], metadata=None, photometric="minisblack")


def hash_tree(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
