"""Small plates and files modelled on public bug reports: each ends as its table says. Left out where they are not."""

import json
import shutil

import numpy as np
import pytest
import tifffile

from noisylabels.data.images import read_image
from noisylabels.plates.formats import open_plates
from tests.plates.archive import needs_cases
from tests.plates.test_single_files import SINGLE
from tests.running import run_command

pytestmark = needs_cases

SEPARATE = "{well}_f{field}_c{channel}.tif"
OME = "{well}_f{field}.ome.tif"
ORDERS = ("XYCTZ", "XYCZT", "XYTCZ", "XYTZC", "XYZCT", "XYZTC")

# Case: exit code, fields done, and what is said.
CASES = {
    "h_two_measurements": (0, 8, ""),
    "h_name_collision": (0, 8, ""),
    "collide_cv": (0, 8, ""),
    "collide_zarr": (0, 8, ""),
    "h_name_traversal": (0, 4, ""),
    "z_screen_torn": (3, 8, "P2.ome.zarr/zarr.json must be JSON"),
    "z_screen_v0.3": (3, 4, "must be OME-Zarr 0.4, 0.5 or 0.6, got 0.3. Convert it"),
    "h_screen_noindex": (3, 4, "must hold the index of its 24 Harmony images"),
    "h_screen_one_broken": (3, 8, "must be well-formed XML"),
    "h_stray_index": (3, 4, "html/Index.xml must have a namespace"),
    "h_timepoints": (3, 4, "has 3 time points: only 0 is read"),
    "ix_time": (3, 2, "has 3 time points: only 1 is read"),
    "z_t3": (3, 4, "has 3 time points: only 0 is read"),
    "cv_af_error": (3, 4, "Record 'AF Error at C05 No. 0'"),
    "ix_zstep0_projection": (0, 4, ""),
    "ix_mixed": (3, 4, "Channels FITC of ix_mixed have projections only"),
    "cq3k_projection": (0, 4, ""),
    "appledouble_ix": (0, 2, ""),
    "h_decimal_comma": (0, 4, ""),
    "h_plate_rows_text": (0, 4, ""),
    "h_plate_rows_float": (0, 4, ""),
    "h_ff_nan": (0, 4, ""),
    "h_ff_words": (0, 4, ""),
    "cv_decimal_comma": (0, 4, ""),
    "z_norows": (0, 4, ""),
    "z_axes_v03": (0, 4, ""),
    "cv_mes_winpath": (0, 4, ""),
    "cv_mrf_empty": (0, 4, ""),
    "ix_bom": (0, 2, ""),
    "h_ref_index": (0, 4, ""),
    "h_ext_tif": (0, 4, ""),
    "cv_lowercase": (0, 4, ""),
    "h_two_sequences": (3, 4, "the latest are read. Choose with --sequence."),
    "h_reimaged": (3, 4, "the latest are read. Choose with --sequence."),
    "ix_two_guids": (3, 2, "the latest are read."),
    "cv_two_actions": (3, 4, "the latest are read. Choose with --action."),
    "z_1536_suffix": (2, 0, "Sub-wells are not read"),
    "cv_png": (0, 4, ""),
    "ix_jdce": (2, 0, "ImageXpress Confocal HT.ai"),
    "h_columbus": (2, 0, "Columbus"),
    "h_http_url": (2, 0, "must be files, got the http address"),
    "z_dup_well": (3, 4, "must be listed once"),
    "h_1536": (0, 4, ""),
    "h_fewer_fields": (0, 3, ""),
    "h_latin1": (0, 4, ""),
    "h_partial": (3, 2, "is not there"),
    "h_row0": (3, 3, "got row 0, column 3"),
    "h_utf16": (0, 4, ""),
    "h_v6_maps": (0, 4, ""),
    "h_v8_revvity": (0, 4, ""),
    "h_z3": (0, 4, ""),
    "h_zero_byte": (3, 3, "must be a whole image file"),
    "cv_mlf_only": (0, 4, ""),
    "cv_mlf_cut": (2, 0, "must be well-formed XML"),
    "cv names µ #1 ü": (0, 4, ""),
    "ix_aborted": (3, 1, "is not there"),
    "ix_names": (0, 2, ""),
    "ix_site_subset": (0, 4, ""),
    "ix_thumbs": (0, 2, ""),
    "ix_single": (0, 4, ""),
    "z_blosc": (0, 4, ""),
    "z_dot04": (0, 4, ""),
    "z_shard": (0, 4, ""),
    "z_zstd": (0, 4, ""),
    "z_omit": (3, 2, "must be a Zarr group"),
    "z_rowlower": (0, 4, ""),
    "z_intcols": (0, 4, ""),
    "z_junk": (0, 4, ""),
    "z_tornchunk": (3, 3, "it cannot be read"),
    "cv_1536": (0, 4, ""),
    "h_archive": (0, 4, ""),
    "h_binning_mixed": (3, 0, "must have one size, got [(32, 48), (64, 96)]"),
    "h_empty_channelname": (0, 4, ""),
    "h_same_channelname": (0, 4, ""),
    "h_windows_url": (2, 0, "Paths of an index must stay inside"),
    "ix_no_htd": (2, 0, "(a .HTD file), got none"),
    "ix_projection_only": (0, 4, ""),
    "ix_two_htd": (2, 0, "must list each plane once, got both PA_B02_s1_w1.TIF and PB_B02_s1_w1.TIF"),
    "z_1536": (0, 4, ""),
    "z_blosc04": (0, 4, ""),
    "z_first_image_bad": (3, 3, "A/1/0/zarr.json must be JSON"),
    "z_float": (0, 4, ""),
    "z_fov_mixed": (2, 0, "must be listed once each, got [1, 1, 0]"),
    "z_fovnames": (0, 4, ""),
    "z_intname": (0, 4, ""),
    "z_introws": (2, 0, "must lie in A01..AF48, got '101'"),
    "z_junkonly": (3, 3, "must hold pixels, got metadata only"),
    "z_lostchunk": (0, 4, ""),  # Zarr leaves out chunks of the fill value: a lost one cannot be told from an empty one
    "z_micron": (0, 4, ""),
    "z_mixed_c": (3, 3, "must have 2 channels, as its plate, got 3"),
    "z_nan": (3, 3, "must be finite, got NaN or infinity"),
    "z_nanometer": (0, 4, ""),
    "z_norowindex": (0, 4, ""),
    "z_nullname": (0, 4, ""),
    "z_omit_first": (3, 2, "A/1 must be a Zarr group"),
    "z_plain04": (0, 4, ""),
    "z_plain05": (0, 4, ""),
    "z_plain05.zarr.zip": (2, 0, "must be a plate's folder, got a file"),
    "z_tczyx": (0, 4, ""),
    "z_v03": (0, 4, ""),
    "z_ver": (0, 4, ""),
    "z_version_num": (0, 4, ""),
    "z_zero_filled": (3, 0, "must hold pixels, got metadata only"),
}

# The same with a naming pattern.
NAMED = {
    "torn_first_file": (OME, 3, 3, "A01_f1.ome.tif must be a whole image file"),
    "appledouble_plate": ("{plate}_{well}_f{field}_c{channel}.tif", 0, 2, ""),
    "p_appledouble": (SEPARATE, 0, 2, ""),
    "p_TIF": (SEPARATE, 0, 2, ""),
    "p_png": ("{plate}/{well}_s{field}_w{channel}.png", 0, 2, ""),
    "p_a1_a01": (SEPARATE, 3, 1, "must list each plane once"),
    "p_symlink_loop": (SEPARATE, 0, 2, ""),
    "p_broken_link": (SEPARATE, 3, 2, "is not there"),
    "p_scanr": ("data/{well}--W{any}--P{field}--Z{z}--T{time}--{channel}.tif", 0, 2, ""),
    "d_types": ("{well}_f{field}_{any}.tif", 3, 16, "C03_f001 must be finite, got NaN or infinity"),
    "p_1536": (SEPARATE, 0, 3, ""),
    "p_channel_case": ("{well}_f{field}_{channel}.tif", 0, 2, ""),
    "p_dir_named_tif": (SEPARATE, 0, 2, ""),
    "p_dtypes": (SEPARATE, 0, 2, ""),
    "p_empty_file": (SEPARATE, 3, 1, "A01_f1_c1.tif must be a whole image file"),
    "p_field_big": (SEPARATE, 0, 2, ""),
    "p_field_leading": (SEPARATE, 2, 0, "must list each plane once, got both A01_f001_c1.tif and A01_f01_c1.tif"),
    "p_field_zero": (SEPARATE, 0, 2, ""),
    "p_lower_upper": (SEPARATE, 0, 3, ""),
    "p_mixed_ext": (SEPARATE, 0, 3, ""),
    "p_nonutf8": (SEPARATE, 3, 0, r"must have plane 0 of channel '1_\udcff'"),
    "p_plate_dirs": ("{plate}/" + SEPARATE, 0, 6, ""),
    "p_size_channels": (SEPARATE, 3, 0, "must have one size, got [(32, 96), (64, 96)]"),
    "p_sizes": (SEPARATE, 0, 2, ""),
    "p_unreadable": (SEPARATE, 0, 2, ""),  # its rights do not survive the archive
    "tiff/multi": ("{well}_f{field}_c{channel}.ome.tif", 0, 1, ""),
    "tiff/multi_position": (OME, 0, 3, ""),
    "tiff/multi_lost": ("{well}_f{field}_c{channel}.ome.tif", 3, 0, "channel 1, plane 0, time 0"),
    "tiff/pat_names_swap": (OME, 0, 2, ""),
    "tiff/pat_order_varies": ("{well}_f{field}.tif", 0, 2, ""),
    "tiff/pat_tiffdata": (OME, 0, 1, ""),
    "tiff/pat_z_varies": (OME, 3, 1, "as its plate, got 2 channels, 5 focal planes"),
    "tiff/pat_c_varies": (OME, 3, 1, "as its plate, got 3 channels"),
    "tiff/pat_fewer": (OME, 3, 0, "must have the page of channel 2"),
    "tiff/pat_two_series": (OME, 3, 1, "hold 2 images: all but the first left out"),
    "tiff/pat_ij_t": ("{well}_f{field}.tif", 3, 1, "has 4 time points"),
    "tiff/pat_ij_tc": ("{well}_f{field}.tif", 3, 1, "has 4 time points"),
    **{
        f"tiff/pat_time{count}_{order}": (OME, 3, 1, f"has {count} time points")
        for count in (2, 3)
        for order in ("XYCZT", "XYTCZ", "XYZTC")
    },
    **{f"tiff/pat_{order}": (OME, 0, 1, "") for order in ORDERS},
    "tiff/pat_binonly": (OME, 0, 1, ""),
    "tiff/pat_ij_tzc": ("{well}_f{field}.tif", 3, 1, "has 2 time points"),
    "tiff/pat_ij_zc": ("{well}_f{field}.tif", 0, 1, ""),
    "tiff/pat_pyr": (OME, 0, 1, ""),
    "tiff/pat_xmlnoend": (OME, 0, 1, ""),
    "tiff/torn2": (OME, 3, 1, "A02_f1.ome.tif must be a whole image file"),
    "tiff/torn3": ("{well}_c{channel}.tif", 0, 2, ""),
    **{
        f"tiff/pat_torn_{codec}_{share}": (OME, 3, 1, "A01_f1.ome.tif must be a whole image file")
        for codec in ("None", "lzw", "zlib")
        for share in (0.3, 0.6, 0.9, 0.99)
    },
}


def run(capsys, source, target, *words):
    code = run_command("screen", "run", source, target, "--method", "threshold", "--workers", "0", *words)
    said = capsys.readouterr()
    return code, said.out + said.err


def check(capsys, cases, name, target, words, code, n_done, told):
    for _ in range(2):  # a second time finds nothing to do, and says the same
        got, text = run(capsys, cases / name, target, *words)
        assert got == code, text
        assert told in text
        assert "Traceback" not in text
        if code != 2:
            assert f"{n_done} done" in text
            assert "0 stale" in text


def test_every_case_of_the_archive_is_tried(cases):
    single = {f"tiff/{path.name}" for path in (cases / "tiff").glob("*.tif")}
    folders = {f"tiff/{path.name}" for path in (cases / "tiff").iterdir() if path.is_dir()}
    here = {path.name for path in cases.iterdir() if path.name != "tiff"}
    assert single == {f"tiff/{name}" for name in SINGLE}
    assert here | folders == CASES.keys() | NAMED.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_plate_ends_as_it_should(cases, tmp_path, capsys, name):
    check(capsys, cases, name, tmp_path / "run", (), *CASES[name])


@pytest.mark.parametrize("name", NAMED)
def test_plain_files_end_as_they_should(cases, tmp_path, capsys, name):
    pattern, *right = NAMED[name]
    check(capsys, cases, name, tmp_path / "run", ("--pattern", pattern), *right)


def test_what_was_torn_first_is_all_that_is_done_again(cases, tmp_path, capsys):
    shutil.copytree(cases / "torn_first_file", tmp_path / "plate")
    words = ("--pattern", "{well}_f{field}.ome.tif")
    assert run(capsys, tmp_path / "plate", tmp_path / "run", *words)[0] == 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.tif")}
    assert len(before) == 3
    shutil.copy(tmp_path / "plate" / "A02_f1.ome.tif", tmp_path / "plate" / "A01_f1.ome.tif")
    assert run(capsys, tmp_path / "plate", tmp_path / "run", *words)[0] == 0
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.tif")}
    assert len(after) == 4
    assert {path: after[path] for path in before} == before


def test_channels_are_found_by_the_names_in_each_file(cases):
    (plate,) = open_plates(cases / "tiff" / "pat_names_swap", pattern="{well}_f{field}.ome.tif")
    first, second = plate.fields
    assert first.channels == second.channels == ("DsRed", "pHluorin")
    swapped = tifffile.imread(second.files()[0])
    assert (second.read() == swapped[::-1]).all()


def test_the_projection_is_read_by_choice(cases, tmp_path, capsys):
    code, _ = run(capsys, cases / "ix_mixed", tmp_path / "run", "--projection")
    assert code == 0


def test_a_scale_that_is_not_the_cameras_is_doubted_and_can_be_said(cases, tmp_path, capsys):
    for name in ("B02_f1_u16", "B07_f1_f32_0to1"):
        (tmp_path / name).mkdir()
        shutil.copy(cases / "d_types" / f"{name}.tif", tmp_path / name)
    words = ("--method", "cip", "--pattern", "{well}_f{field}_{any}.tif")
    code, told = run(capsys, tmp_path / "B07_f1_f32_0to1", tmp_path / "doubted", *words)
    assert code == 0
    assert "B07_f001: pixels up to 0.0525673 where cip expects counts of a 16-bit camera. Give --full-scale" in told
    run(capsys, tmp_path / "B02_f1_u16", tmp_path / "counts", *words)
    code, told = run(capsys, tmp_path / "B07_f1_f32_0to1", tmp_path / "said", *words, "--full-scale", "1")
    assert (code, "--full-scale" in told) == (0, False)
    found = [
        json.loads(next((tmp_path / name).rglob("*_f001.json")).read_text())["counts"]
        for name in ("counts", "said", "doubted")
    ]
    assert [sum(of_class["events"] for of_class in counts.values()) for counts in found] == [7, 7, 0]
    assert found[0] == found[1]


def test_the_pipeline_for_nuclei_runs_on_plates(cases, tmp_path, capsys):
    words = ("--method", "cip", "--set", "preset=nuclei", "--channels", "DsRed")
    code, told = run(capsys, cases / "z_blosc", tmp_path / "run", *words)
    assert (code, "4 done" in told) == (0, True)


@pytest.mark.parametrize("name", ["h_timepoints", "ix_time", "z_t3"])
def test_all_time_points_are_converted(cases, tmp_path, name):
    assert run_command("convert", cases / name, tmp_path) == 0
    (before,) = open_plates(cases / name)
    (after,) = open_plates(tmp_path)
    assert [field.id for field in after.fields] == [field.id for field in before.fields]
    for source, written in zip(before.fields, after.fields, strict=True):
        assert (len(source.times), len(written.times)) == (3, 3)
        for old, new in zip(source.times, written.times, strict=True):
            assert (written.read_stack(time=new) == source.read_stack(time=old)).all()


@pytest.mark.parametrize("name", ["h_timepoints", "ix_time", "z_t3"])
def test_an_import_tells_the_time_points_that_it_leaves_out(cases, tmp_path, capsys, name):
    (plate,) = open_plates(cases / name)
    last = plate.wells[0].fields[0].times[-1]
    assert run_command("import", cases / name, tmp_path / "first", "--plate") == 3
    first = plate.wells[0].fields[0].times[0]
    assert f"has 3 time points: only {first} is read. Choose one of {first}..{last} with --time." in (
        capsys.readouterr().err
    )
    assert run_command("import", cases / name, tmp_path / "last", "--plate", "--time", last) == 0
    assert capsys.readouterr().err == ""
    for field in plate.fields:
        (path,) = (tmp_path / "last" / "images").glob(f"*{field.well.name}_f{field.number}.ome.tif")
        assert (read_image(path) == field.read(time=last)).all()


def test_positions_of_a_set_of_files_are_imported_with_their_own_pages(cases, tmp_path):
    source = cases / "tiff" / "multi_position"
    assert run_command("import", source, tmp_path / "set") == 0
    written = {path.name: read_image(path) for path in (tmp_path / "set" / "images").iterdir()}
    assert len(written) == 3
    assert len({image.tobytes() for image in written.values()}) == 3
    for name, image in written.items():
        with tifffile.TiffFile(source / name, is_ome=False) as file:
            assert (image == np.stack([page.asarray() for page in file.pages])).all()


@pytest.mark.parametrize("name", ["h_two_measurements", "h_name_collision", "collide_cv", "collide_zarr"])
def test_labels_of_plates_of_one_name_lie_on_their_own_pixels(cases, tmp_path, capsys, name):
    assert run(capsys, cases / name, tmp_path / "run")[0] == 0
    assert run_command("screen", "export", tmp_path / "run", tmp_path / "plates") == 0
    sources = {plate.name: plate for plate in open_plates(cases / name)}
    exported = {plate.name: plate for plate in open_plates(tmp_path / "plates")}
    assert len(sources) == 2
    assert exported.keys() == sources.keys()
    for plate_name, plate in sources.items():
        for field in plate.fields:
            assert (exported[plate_name].field(field.id).read_stack() == field.read_stack()).all()


def test_a_name_that_leads_elsewhere_stays_inside(cases, tmp_path, capsys):
    home = tmp_path / "a" / "b" / "c"
    assert run(capsys, cases / "h_name_traversal", home / "run")[0] == 0
    for words in (["convert", str(cases / "h_name_traversal")], ["screen", "export", str(home / "run")]):
        assert run_command(*words, home / words[0]) == 0
    made = {path.relative_to(tmp_path).parts[:3] for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {("a", "b", "c")}
