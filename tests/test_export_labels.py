"""`noisylabels export-labels`: from a dataset folder, a screen and the desk, and back by `import`."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from noisylabels.data.dataset import open_dataset
from tests.annotation.desks import make_project, owner_session, paint
from tests.bundles.small_screen import write_screen
from tests.running import run_command


@pytest.mark.parametrize("form", ["roi", "geojson", "tiff"])
def test_what_leaves_a_dataset_folder_comes_back_by_import_equal_to_the_pixel(tmp_path, form):
    screen = write_screen(tmp_path / "screen")
    assert run_command("export-labels", screen, tmp_path / "out", "--to", form, "--labels", "cip") == 0
    words = ("--labels", f"cip={tmp_path / 'out'}", "--classes", "background,phagophore,autolysosome")
    assert run_command("import", screen / "images", tmp_path / "again", *words) == 0
    before, after = open_dataset(screen), open_dataset(tmp_path / "again")
    assert len(before.ids()) == 10
    for name in before.ids():
        assert np.array_equal(before.label_map("cip", name), after.label_map("cip", name))


def test_instances_of_a_class_come_back_as_that_class(tmp_path):
    screen = write_screen(tmp_path / "screen")
    words = ("--to", "instances", "--labels", "cip", "--split", "test")
    assert run_command("export-labels", screen, tmp_path / "out", *words) == 0
    names = open_dataset(screen).ids("test")
    assert sorted(path.name for path in (tmp_path / "out/phagophore").iterdir()) == [f"{name}.tif" for name in names]
    for name in names:
        (tmp_path / "few").mkdir(exist_ok=True)
        (tmp_path / f"few/{name}.ome.tif").write_bytes((screen / f"images/{name}.ome.tif").read_bytes())
    words = ("--labels", f"cip={tmp_path / 'out/phagophore'}", "--classes", "background,phagophore")
    assert run_command("import", tmp_path / "few", tmp_path / "again", *words, "--masks", "objects") == 0
    for name in names:
        expected = open_dataset(screen).label_map("cip", name) == 1
        assert np.array_equal(open_dataset(tmp_path / "again").label_map("cip", name), expected)


def test_a_screens_run_leaves_as_outlines_and_pictures(tmp_path, capsys):
    (tmp_path / "plate").mkdir()
    for well in ("B07", "C03"):
        picture = np.full((40, 56), 200, np.uint16)
        picture[10:15, 20:25] += 300
        tifffile.imwrite(tmp_path / f"plate/{well}_f1_c1.tif", picture)
    words = ("--pattern", "{well}_f{field}_c{channel}.tif", "--method", "threshold", "--workers", "0")
    assert run_command("screen", "run", tmp_path / "plate", tmp_path / "run", *words) == 0
    capsys.readouterr()
    assert run_command("export-labels", tmp_path / "run", tmp_path / "rois", "--to", "roi") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'rois'}: 2 fields as roi, event\n"
    names = ["plate_B07_f001", "plate_C03_f001"]
    assert sorted(path.name for path in (tmp_path / "rois").iterdir()) == [f"{name}.zip" for name in names]
    assert run_command("export-labels", tmp_path / "run", tmp_path / "seen", "--to", "overlay") == 0
    seen = np.asarray(Image.open(tmp_path / f"seen/{names[0]}.png"))
    assert seen.shape == (40, 56, 3)
    assert len(np.unique(seen[10, 20:25], axis=0)) == 1
    assert (seen[10, 20] != seen[12, 22]).any()


def test_accepted_corrections_leave_the_desk(tmp_path):
    with make_project(tmp_path) as project:
        session = owner_session(project)
        token = session.open("B02_f1")
        painted = paint(session.label_map(token), 2, 3, 4)
        head = session.commit(token, painted, parent=session.head(token).revision, tool="brush")
        session.close(token, "accepted", revision=head.revision)
        path = project.path
    assert run_command("export-labels", path, tmp_path / "out", "--to", "tiff") == 0
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["B02_f1.tif"]
    assert np.array_equal(tifffile.imread(tmp_path / "out/B02_f1.tif"), painted)


def test_what_holds_no_label_maps_and_what_is_there_is_told_in_one_sentence(tmp_path, capsys):
    screen = write_screen(tmp_path / "screen")
    assert run_command("export-labels", tmp_path, tmp_path / "out", "--to", "roi") == 2
    assert capsys.readouterr().err == (
        f"noisylabels: {tmp_path} must be a dataset folder, a run of `screen run` or a project file, got none of them. "
        "Name one.\n"
    )
    assert run_command("export-labels", screen, screen, "--to", "roi") == 2
    assert "must not exist: nothing is replaced" in capsys.readouterr().err
    assert run_command("export-labels", screen, tmp_path / "out", "--to", "roi", "--labels", "gone") == 2
    assert not (tmp_path / "out").exists()
