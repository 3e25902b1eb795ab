import json
import re
from functools import partial

import numpy as np
import pytest
import zarr

from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA
from noisylabels.plates import open_plate, write_labels, write_plate
from noisylabels.plates.omezarr_labels import list_labels, read_labels
from noisylabels.plates.omezarr_writer import field_folder, write_field
from tests.cases import draw
from tests.plates.made_plates import hash_tree, picture, write_harmony_plate, write_pattern_plate

PATTERN = "{plate}/{well}_f{field}_c{channel}.tif"
LABELS = draw("1.......2 / 1.......2 / ......... / ......... / ......... / ........1")


@pytest.fixture
def source(tmp_path):
    return open_plate(write_harmony_plate(tmp_path / "export"))


@pytest.fixture
def converted(tmp_path, source):
    assert write_plate(tmp_path / "P1.ome.zarr", source) == []
    return tmp_path / "P1.ome.zarr"


def refuse(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def write_zarr_2_plate(root):
    """Write a plate of OME-Zarr 0.4 by hand, as older writers did: axes t, c, y, x."""

    def attributes(folder, content):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps(content))

    wells = [{"path": "B/7", "rowIndex": 0, "columnIndex": 0}]
    plate = {"version": "0.4", "name": "old", "rows": [{"name": "B"}], "columns": [{"name": "7"}], "wells": wells}
    attributes(root, {"plate": plate})
    attributes(root / "B" / "7", {"well": {"version": "0.4", "images": [{"path": "1"}]}})
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    scale = [{"type": "scale", "scale": [1, 1, 0.5, 0.5]}]
    scales = {"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    attributes(root / "B" / "7" / "1", {"multiscales": [scales]})
    data = np.stack([[picture(2, 7, 1, channel) + 100 * time for channel in (1, 2)] for time in (0, 1)])
    array = zarr.create_array(root / "B" / "7" / "1" / "0", data=data, chunks=(1, 1, 6, 9), zarr_format=2)
    assert array.shape == (2, 2, 6, 9)
    return data


def test_version_0_4_is_read_time_by_time(tmp_path):
    data = write_zarr_2_plate(tmp_path / "old.zarr")
    before = hash_tree(tmp_path)
    (field,) = open_plate(tmp_path).fields
    assert (field.id, field.channels, field.times, field.pixel_size_um) == ("B07_f001", ("0", "1"), (0, 1), 0.5)
    assert np.array_equal(field.read(time=1), data[1])
    assert np.array_equal(field.read(channels=["1"])[0], data[0, 1])
    assert hash_tree(tmp_path) == before


def test_another_version_is_refused(tmp_path):
    write_zarr_2_plate(tmp_path / "old.zarr")
    path = tmp_path / "old.zarr" / "B" / "7" / "1" / ".zattrs"
    path.write_text(path.read_text().replace('"0.4"', '"0.3"'))
    with pytest.raises(InputError, match=r"must hold at least one field of a plate, got none .* got 0\.3\. Convert"):
        open_plate(tmp_path)


def test_a_well_outside_the_plate_is_told(tmp_path):
    write_zarr_2_plate(tmp_path / "old.zarr")
    path = tmp_path / "old.zarr" / ".zattrs"
    plate = json.loads(path.read_text())
    plate["plate"]["wells"].append({"path": "../B/7", "rowIndex": 0, "columnIndex": 0})
    path.write_text(json.dumps(plate))
    assert open_plate(tmp_path).problems == (
        f"Well '../B/7' of old: Paths of an index must stay inside {tmp_path / 'old.zarr'}, got '../B/7'. "
        "Do not trust this index.",
    )


def test_every_pixel_and_name_survives_the_conversion(source, converted):
    plate = open_plate(converted)
    assert (plate.name, plate.shape, plate.channels) == (source.name, source.shape, source.channels)
    assert [field.id for field in plate.fields] == [field.id for field in source.fields]
    for before, after in zip(source.fields, plate.fields, strict=True):
        assert np.array_equal(before.read_stack(), after.read_stack())
        assert after.pixel_size_um == before.pixel_size_um


def test_focal_planes_and_pyramids_survive(tmp_path):
    write_pattern_plate(tmp_path / "in", wells=("B07",), n_fields=1)
    plate = open_plate(tmp_path / "in", pattern=PATTERN)
    (field,) = plate.fields
    stack = np.random.default_rng(0).integers(0, 4096, (2, 3, 600, 520)).astype(np.uint16)
    folder = write_field(tmp_path / "big", field, stack, channels=("a", "b"))
    group = zarr.open_group(folder, mode="r")
    assert np.array_equal(group["0"], stack)
    assert group["1"].shape == (2, 3, 300, 260)
    assert group["1"][1, 2, 10, 20] == stack[1, 2, 20:22, 40:42].mean().astype(np.uint16)


def test_two_validators_accept_plate_and_labels(converted):
    import yaozarrs
    from ome_zarr_models.v05 import HCS, ImageLabel

    field = next(open_plate(converted).fields)
    write_labels(field.folder, LABELS, name="cip_0123abcd", classes=ROSELLA, provenance={"settings": "0123abcd"})
    yaozarrs.validate_zarr_store(str(converted))
    yaozarrs.validate_zarr_store(str(field.folder / "labels" / "cip_0123abcd"))
    HCS.from_zarr(zarr.open_group(converted, mode="r"))
    label = ImageLabel.from_zarr(zarr.open_group(field.folder / "labels" / "cip_0123abcd", mode="r"))
    assert [entry.label_value for entry in label.ome_attributes.image_label.colors] == [0, 1, 2]


def test_a_label_map_has_integer_colours_classes_and_provenance(converted):
    field = next(open_plate(converted).fields)
    write_labels(field.folder, LABELS, name="cip_01", classes=ROSELLA, provenance={"checkpoint": "ab"})
    assert list_labels(field.folder) == ["cip_01"]
    assert np.array_equal(read_labels(field.folder, "cip_01"), LABELS)
    document = json.loads((field.folder / "labels" / "cip_01" / "zarr.json").read_text())["attributes"]
    described = document["ome"]["image-label"]
    values = [entry["label-value"] for entry in described["colors"]]
    assert values == [0, 1, 2]
    assert all(type(value) is int for value in values)
    assert [entry["class"] for entry in described["properties"]] == ["background", "phagophore", "autolysosome"]
    assert described["source"] == {"image": "../../"}
    assert document["noisylabels"] == {"checkpoint": "ab"}


def test_nothing_is_overwritten(source, converted):
    before = hash_tree(converted)
    with refuse(
        f"{converted} must be new, but a finished plate is there. Choose another name; nothing is overwritten."
    ):
        write_plate(converted, source)
    field = next(open_plate(converted).fields)
    write_labels(field.folder, LABELS, name="cip_01", classes=ROSELLA, provenance={})
    target = field.folder / "labels" / "cip_01"
    message = f"A label map's name must be new, but {target} is there. Nothing is overwritten: choose another name."
    with refuse(message):
        write_labels(field.folder, LABELS * 0, name="cip_01", classes=ROSELLA, provenance={})
    assert np.array_equal(read_labels(field.folder, "cip_01"), LABELS)
    after = hash_tree(converted)
    assert {name: after[name] for name in before} == before


def test_a_label_map_that_was_written_but_not_listed_is_listed_by_the_same_call(converted):
    field = next(open_plate(converted).fields)
    add = partial(write_labels, field.folder, LABELS, name="cip_01", classes=ROSELLA)
    add(provenance={"key": "ab"})
    whole = hash_tree(converted)
    (field.folder / "labels" / "zarr.json").unlink()
    with pytest.raises(InputError, match=r"^A label map's name must be new, but "):
        add(provenance={"key": "other"})
    add(provenance={"key": "ab"})
    assert hash_tree(converted) == whole


def test_a_label_map_of_another_size_or_class_is_refused_and_leaves_nothing(converted):
    field = next(open_plate(converted).fields)
    before = hash_tree(converted)
    with pytest.raises(InputError, match=r"^label map x must have the size of its image, \(6, 9\), got \(6, 8\)"):
        write_labels(field.folder, LABELS[:, 1:], name="x", classes=ROSELLA, provenance={})
    with pytest.raises(InputError, match=r"^Values of label map x must be class indices 0..2"):
        write_labels(field.folder, LABELS * 3, name="x", classes=ROSELLA, provenance={})
    assert hash_tree(converted) == before


def test_a_conversion_that_was_cut_off_is_finished_by_the_same_call(tmp_path, source, converted, monkeypatch):
    def cut_off(*arguments, **options):
        raise KeyboardInterrupt

    target = tmp_path / "second.ome.zarr"
    write_field(target, next(source.fields), next(source.fields).read_stack(), channels=source.channels)
    first = hash_tree(field_folder(target, next(source.fields)))
    with monkeypatch.context() as patched:
        patched.setattr("noisylabels.plates.omezarr_writer.write_multiscale", cut_off)
        with pytest.raises(KeyboardInterrupt):
            write_plate(target, source)
    assert not list(target.rglob(".writing-*"))
    assert write_plate(target, source) == []
    assert hash_tree(field_folder(target, next(source.fields))) == first
    assert [field.id for field in open_plate(target).fields] == [field.id for field in source.fields]


def test_a_field_with_a_missing_plane_is_left_out_and_told(tmp_path):
    write_harmony_plate(tmp_path / "export")
    (tmp_path / "export" / "Images" / "r02c07f01p01-ch1sk1fk1fl1.tiff").unlink()
    (problem,) = write_plate(tmp_path / "out.zarr", open_plate(tmp_path / "export"))
    assert problem.startswith("Field B07_f001 of plate P1 must have plane 1 of channel 'pHluorin', ")
    assert [field.id for field in open_plate(tmp_path / "out.zarr").fields] == ["B07_f002", "C03_f001", "C03_f002"]
    assert write_plate(tmp_path / "red.zarr", open_plate(tmp_path / "export"), channels=["DsRed"]) == []
    assert len(list(open_plate(tmp_path / "red.zarr").fields)) == 4


def test_a_foreign_folder_is_not_written_into(tmp_path, source):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with refuse(
        f"{tmp_path / 'mine'} must be new or hold an unfinished plate, got other files in it. Choose another name."
    ):
        write_plate(tmp_path / "mine", source)


def test_version_0_6_is_read_as_the_same_plate(converted):
    before = [field.read_stack() for field in open_plate(converted).fields]
    for path in converted.rglob("zarr.json"):
        document = json.loads(path.read_text())
        ome = document.get("attributes", {}).get("ome")
        if not ome:
            continue
        ome["version"] = "0.6.dev3"
        for scales in ome.get("multiscales", ()):
            scales["coordinateSystems"] = [{"name": "physical", "axes": scales.pop("axes")}]
        path.write_text(json.dumps(document))
    (first, *_) = plate = list(open_plate(converted).fields)
    assert first.channels == ("pHluorin", "DsRed")
    assert first.pixel_size_um == pytest.approx(0.2152)
    assert all(np.array_equal(field.read_stack(), stack) for field, stack in zip(plate, before, strict=True))
    folder = field_folder(converted, first)
    with pytest.raises(InputError, match=r"must be a field of an OME-Zarr 0\.5 plate to hold label maps"):
        write_labels(folder, LABELS, name="cip_1", classes=ROSELLA, provenance={})


def test_all_time_points_are_converted_and_one_by_choice(tmp_path):
    data = write_zarr_2_plate(tmp_path / "old.zarr")
    old = open_plate(tmp_path / "old.zarr")
    assert write_plate(tmp_path / "all.ome.zarr", old) == []
    (field,) = open_plate(tmp_path / "all.ome.zarr").fields
    assert field.times == (0, 1)
    assert all(np.array_equal(field.read_stack(time=time)[:, 0], data[time]) for time in (0, 1))
    assert write_plate(tmp_path / "one.ome.zarr", old, time=1) == []
    (field,) = open_plate(tmp_path / "one.ome.zarr").fields
    assert field.times == (0,)
    assert np.array_equal(field.read(), data[1])


def test_channels_of_each_image_are_found_by_its_own_names(converted):
    first, second, *_ = open_plate(converted).fields
    stack = first.read_stack()
    path = field_folder(converted, second) / "zarr.json"
    swapped = second.read_stack()
    document = json.loads(path.read_text())
    document["attributes"]["ome"]["omero"]["channels"].reverse()
    path.write_text(json.dumps(document))
    first, second, *_ = open_plate(converted).fields
    assert np.array_equal(first.read_stack(), stack)
    assert np.array_equal(second.read_stack(), swapped[::-1])
