"""Exports: what was accepted, read back by others."""

import csv
import json

import nibabel
import numpy as np
import pytest
import yaozarrs

from evaluation.experts.box_files import read_coco_boxes, read_csv_boxes
from evaluation.experts.costs import read_costs
from noisylabels.annotation.boxes import Box, BoxDesk, assign_boxes
from noisylabels.annotation.export import Exported, accepted, export_dataset, export_files
from noisylabels.annotation.queue import QueueSettings, change_queue
from noisylabels.annotation.session import Session
from noisylabels.annotation.tables import export_audit, export_boxes, export_costs, export_times
from noisylabels.annotation.users import add_person, owner_of, person_of
from noisylabels.annotation.zarr_labels import export_ome_zarr
from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import read_image, read_label_map
from noisylabels.data.labels import ROSELLA
from noisylabels.learning.datalist import read_fields
from tests.annotation.desks import make_project, owner_session, paint, refused


@pytest.fixture
def project(tmp_path):
    """Three fields in quarters: four quarters accepted, one skipped, one open."""
    with make_project(tmp_path, 3, quarters=True) as project:
        settings = QueueSettings(start="cip", random_share=0.3, repeat_share=0)
        change_queue(project, owner_of(project), settings)
        session = owner_session(project)
        for number, state in enumerate(["accepted", "accepted", "skipped", "accepted", "accepted"]):
            token = session.next()
            painted = paint(session.label_map(token), 2, 0, number)
            head = session.commit(token, painted, parent=session.head(token).revision, tool="brush", active_ms=2500)
            session.close(token, state, revision=head.revision, active_ms=500)
        session.next()
        yield project


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def maps_of(project):
    session = owner_session(project)
    done = [task for task in session.tasks() if task.state == "accepted"]
    return {session.field(task.token).name: session.label_map(task.token) for task in done}


def test_a_dataset_folder_holds_the_accepted_maps_and_trains(project, tmp_path):
    assert export_dataset(project, tmp_path / "out") == Exported(4, {})
    dataset, maps = open_dataset(tmp_path / "out"), maps_of(project)
    assert set(dataset.ids()) == set(maps)
    for name, label_map in maps.items():
        assert np.array_equal(dataset.label_map("corrected", name, like=dataset.image(name)), label_map)
        assert dataset.image(name).shape == (2, 6, 8)
        assert dataset.case(name).group == name.split("_")[0]  # the well, as in the dataset it came from
    assert dataset.provenance["fields"].keys() == maps.keys()
    listed = read_fields(tmp_path / "out", label_name="corrected", split=(0.5, 0.5, 0), seed=0)
    assert sum(map(len, listed.values())) == 4


def test_the_random_stratum_can_be_held_out_with_its_whole_group(project, tmp_path):
    export_dataset(project, tmp_path / "out", hold_out_random=True)
    dataset = open_dataset(tmp_path / "out")
    held = {item.field.case_id.split("_")[0] for item in accepted(project) if item.stratum == "random"}
    assert held
    assert {case.group for case in dataset.cases if case.split == "test"} == held
    assert {case.group for case in dataset.cases if case.split == "training"}.isdisjoint(held)


def test_an_export_overwrites_no_dataset(project, tmp_path):
    with refused(f"{tmp_path}/dataset must be a new dataset folder, but it has a dataset.json."):
        export_dataset(project, tmp_path / "dataset")


def test_nothing_accepted_is_said(tmp_path):
    with make_project(tmp_path) as project:
        for export in (export_dataset, export_ome_zarr, lambda p, f: export_files(p, f, "tiff")):
            with refused(f"{project.path} must have accepted corrections to export, got none."):
                export(project, tmp_path / "out")


def test_tiff_and_nifti_hold_the_same_maps(project, tmp_path):
    for form in ("tiff", "nifti"):
        assert export_files(project, tmp_path / "out", form) == Exported(4, {})
    for name, label_map in maps_of(project).items():
        assert np.array_equal(read_label_map(tmp_path / f"out/{name}.tif"), label_map)
        nifti = np.asarray(nibabel.load(tmp_path / f"out/{name}.nii.gz").dataobj)
        assert np.array_equal(nifti.squeeze().T, label_map)


def test_ome_zarr_is_valid_and_holds_image_and_map(project, tmp_path):
    import zarr

    assert export_ome_zarr(project, tmp_path / "out") == Exported(4, {})
    for name, label_map in maps_of(project).items():
        folder = tmp_path / f"out/{name}.ome.zarr"
        yaozarrs.validate_zarr_store(str(folder))
        assert np.array_equal(zarr.open_array(folder / "labels/corrected_owner/0", mode="r")[...], label_map)
        assert zarr.open_array(folder / "0", mode="r").shape == (2, 6, 8)
        about = json.loads((folder / "labels/corrected_owner/zarr.json").read_text())["attributes"]
        assert about["noisylabels"]["start"] == "cip"
    with refused(f"{tmp_path}/out/"):
        export_ome_zarr(project, tmp_path / "out")


def test_the_audit_trail_tells_every_revision(project, tmp_path):
    assert export_audit(project, tmp_path / "audit.csv") == 11  # six starts, five strokes
    rows = rows_of(tmp_path / "audit.csv")
    assert [row["tool"] for row in rows] == ["start", "brush"] * 5 + ["start"]
    assert [row["head"] for row in rows] == ["0", "1"] * 5 + ["1"]
    assert [row["origin"] for row in rows] == ["cip", "person"] * 5 + ["cip"]
    assert [row["parent"] for row in rows[:2]] == ["", rows[0]["revision"]]
    assert [row["state"] for row in rows[1::2]] == ["accepted", "accepted", "skipped", "accepted", "accepted"]
    assert all(len(row["sha256"]) == 64 for row in rows)


def test_the_times_are_the_active_ones(project, tmp_path):
    assert export_times(project, tmp_path / "times.csv") == 6
    rows = rows_of(tmp_path / "times.csv")
    assert [row["active_s"] for row in rows] == ["3.0"] * 5 + ["0.0"]
    assert {row["activity"] for row in rows} == {"correction"}
    assert [row["state"] for row in rows] == ["accepted", "accepted", "skipped", "accepted", "accepted", "open"]


def test_the_cost_sheet_is_the_mean_minutes_of_an_accepted_field(project, tmp_path):
    assert export_costs(project, tmp_path / "costs.csv") == 1
    (cost,) = read_costs(tmp_path / "costs.csv")
    assert (cost.method, cost.stage, cost.scope, cost.machine_s) == ("mdl", "correction from cip", "field", 0)
    assert cost.human_min == 3 / 60


def test_of_several_people_the_newest_acceptance_is_exported_and_all_are_audited(project, tmp_path):
    anna = Session(project, add_person(project, "anna", "annotator"))
    name = accepted(project)[0].field.name
    token = anna.open(name)
    mine = np.full_like(anna.label_map(token), 1)
    head = anna.commit(token, mine, parent=anna.head(token).revision, tool="fill")
    anna.close(token, "accepted", revision=head.revision)
    assert len(accepted(project)) == 4
    export_files(project, tmp_path / "out", "tiff")
    assert np.array_equal(read_label_map(tmp_path / f"out/{name}.tif"), mine)
    assert export_audit(project, tmp_path / "audit.csv") == 13


def test_a_hidden_repeat_is_not_exported(tmp_path):
    with make_project(tmp_path, 9) as project:
        change_queue(project, owner_of(project), QueueSettings(random_share=0, repeat_share=0.5))
        session = owner_session(project)
        while (token := session.next()) is not None:
            head = session.commit(token, session.label_map(token), parent=session.head(token).revision, tool="fill")
            session.close(token, "accepted", revision=head.revision)
        tasks = project.value("SELECT count(*) FROM task WHERE repeats IS NOT NULL")
        assert tasks > 0
        assert len(accepted(project)) == 9
        first = project.rows("SELECT id FROM task WHERE repeats IS NULL ORDER BY field")
        assert [item.task for item in accepted(project)] == [row["id"] for row in first]


def test_boxes_go_to_csv_and_coco(tmp_path):
    with make_project(tmp_path, 4) as project:
        assign_boxes(project, [["ella", "eva"], ["emil"]], ["B01_f1", "B02_f1"], seed=1)
        for name, shift in (("ella", 0), ("emil", 2)):
            desk = BoxDesk(project, person_of(project, name))
            token = next(task.token for task in desk.tasks() if desk.field(task.token).name == "B01_f1")
            desk.draw(token, Box("box-one-", 1, 0 + shift, 1, 4 + shift, 9), active_ms=1500)
            desk.draw(token, Box("box-two-", 2, 5, 5, 12, 16), active_ms=500)
            desk.delete(token, "box-two-")
            desk.close(token, "done", active_ms=1000)
        assert export_boxes(project, tmp_path / "out") == 2
        export_times(project, tmp_path / "times.csv")
        rows = rows_of(tmp_path / "out/boxes.csv")
        common = {"image": "B01_f1", "class": "phagophore", "column_min": "1", "column_max": "9", "order": "1"}
        assert rows == [
            {**common, "expert": "ella", "group": "1", "row_min": "0", "row_max": "4", "state": "done"},
            {**common, "expert": "emil", "group": "2", "row_min": "2", "row_max": "6", "state": "done"},
        ]
        coco = json.loads((tmp_path / "out/boxes/emil.coco.json").read_text())
        assert coco["categories"] == [{"id": 1, "name": "phagophore"}, {"id": 2, "name": "autolysosome"}]
        assert [image["file_name"] for image in coco["images"]] == ["B01_f1", "B02_f1"]
        for name, half_open in (("ella", [0, 1, 4, 9]), ("emil", [2, 1, 6, 9])):  # as the evaluation reads both
            drawn = read_csv_boxes(tmp_path / "out/boxes.csv", classes=ROSELLA)[name]["B01_f1"]
            listed = read_coco_boxes(tmp_path / f"out/boxes/{name}.coco.json", classes=ROSELLA)[name]["B01_f1"]
            assert drawn.boxes.tolist() == listed.boxes.tolist() == [half_open]
        assert coco["annotations"] == [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 8, 4], "area": 32, "iscrowd": 0}
        ]
        times = rows_of(tmp_path / "times.csv")
        assert [(row["activity"], row["person"], row["active_s"]) for row in times] == [
            ("boxes", "ella", "3.0"),
            ("boxes", "emil", "3.0"),
        ]


@pytest.mark.parametrize(
    ("groups", "fields", "sentence"),
    [
        ([], ["B01_f1"], "Groups must hold different experts, at least one each, got []."),
        ([["a"], []], ["B01_f1"], "Groups must hold different experts, at least one each, got [['a'], []]."),
        ([["a"], ["a"]], ["B01_f1"], "Groups must hold different experts"),
        ([["a"]], ["B01_f1", "Z"], "Fields must be of the project, got strangers: Z (1 in all)."),
    ],
)
def test_wrong_box_assignments_are_refused(tmp_path, groups, fields, sentence):
    with make_project(tmp_path) as project:
        with refused(sentence):
            assign_boxes(project, groups, fields)
        assert project.value("SELECT count(*) FROM box_task") == 0


def test_each_expert_gets_an_order_of_their_own(tmp_path):
    with make_project(tmp_path, 9) as project:
        names = [f"B0{number}_f1" for number in range(1, 10)]
        assert assign_boxes(project, [["ella"], ["emil"]], names) == 18
        orders = [
            [desk.field(task.token).name for task in desk.tasks()]
            for desk in (BoxDesk(project, person_of(project, name)) for name in ("ella", "emil"))
        ]
        assert sorted(orders[0]) == sorted(orders[1]) == names
        assert orders[0] != orders[1]
        assert assign_boxes(project, [["ella"]], names[:2]) == 0


def test_the_image_is_exported_as_it_was(project, tmp_path):
    export_dataset(project, tmp_path / "out")
    item = accepted(project)[0]
    whole = read_image(tmp_path / f"dataset/images/{item.field.case_id}.ome.tif")
    exported = read_image(tmp_path / f"out/images/{item.field.name}.ome.tif")
    assert np.array_equal(exported, whole[:, *item.field.window.slices])
