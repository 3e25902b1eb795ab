"""Tables of a field, held to ngio, whose form they have."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaozarrs

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.plates import open_plate, write_plate
from noisylabels.plates.omezarr_tables import list_tables, write_field_table
from tests.plates.made_plates import hash_tree, write_harmony_plate
from tests.running import run_command


@pytest.fixture
def field(tmp_path):
    write_plate(tmp_path / "P1.ome.zarr", open_plate(write_harmony_plate(tmp_path / "export")))
    return next(open_plate(tmp_path / "P1.ome.zarr").fields)


@pytest.mark.parametrize("rows", [[], [3.5, 1.0]])
def test_a_table_is_whole_listed_and_never_overwritten(field, rows):
    table = pa.table({"area_px": pa.array(rows, pa.float64())})
    target = write_field_table(field.folder, table, name="cip_01")
    assert list_tables(field.folder) == ["cip_01"]
    assert pq.read_table(target / "table.parquet").equals(table)
    yaozarrs.validate_zarr_store(str(field.folder))
    before = hash_tree(field.folder)
    with pytest.raises(InputError, match=r"^A table's name must be new, but "):
        write_field_table(field.folder, table, name="cip_01")
    assert hash_tree(field.folder) == before
    (field.folder / "tables" / "zarr.json").unlink()
    write_field_table(field.folder, table, name="cip_01")
    assert hash_tree(field.folder) == before


def test_ngio_reads_the_events_that_an_export_writes(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies, at their import
        ngio = pytest.importorskip("ngio", reason="left out: needs ngio")
    source = tmp_path / "raw"
    for number in (1, 2):
        picture = np.random.default_rng(number).normal(200, 5, (40, 56))
        picture[10:15, 10 * number : 10 * number + 5] += 300
        write_image(source / f"B07_f{number}.tif", picture[None].astype(np.uint16))
    words = ("--pattern", "{well}_f{field}.tif", "--method", "threshold", "--workers", "0")
    assert run_command("screen", "run", source, tmp_path / "run", *words) == 0
    for _ in range(2):
        assert run_command("screen", "export", tmp_path / "run", tmp_path / "plates", "--tables") == 0
    n_events = 0
    for plate in (tmp_path / "plates").iterdir():
        for field in open_plate(plate).fields:
            (name,) = list_tables(field.folder)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                container = ngio.open_ome_zarr_container(field.folder, mode="r")
                assert container.list_tables() == [name]
                events = container.get_table(name).dataframe
            (path,) = (tmp_path / "run").rglob(f"{field.plate}/**/{field.id}.events.parquet")
            written = pq.read_table(path)
            assert np.array_equal(events["area_px"], written["area_px"])
            assert events["well"].eq(field.well.name).all()
            n_events += len(events)
    assert n_events == 2
