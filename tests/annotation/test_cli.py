"""The annotate command: a project from nothing to its tables, and mistakes told in one sentence."""

import csv
import json
import sqlite3
import subprocess
import sys

import pytest

from noisylabels.annotation.project import Project
from noisylabels.annotation.ratings import RatingDesk
from noisylabels.annotation.users import person_of
from tests.annotation.desks import TOKEN, make_dataset, make_project, owner_session
from tests.running import run_command


@pytest.fixture
def say(capsys):
    def run(*words, code=0):
        exit_code = run_command("annotate", *words)
        said = capsys.readouterr()
        assert exit_code == code, said.err
        return said.out if code == 0 else said.err

    return run


def test_a_project_is_made_filled_and_exported(say, tmp_path):
    make_dataset(tmp_path / "data", 3)
    desk = tmp_path / "screen.desk"
    assert say("create", desk, tmp_path / "data", "--start", "cip", "--quarters") == (
        f"{desk}: 12 fields. Serve it: noisylabels annotate {desk}\n"
    )
    with Project(desk) as project:
        session = owner_session(project)
        token = session.next()
        session.close(token, "accepted", revision=session.head(token).revision)
        assert project.value("SELECT start FROM task") == "cip"
    for form in ("dataset", "tiff", "nifti", "ome-zarr", "roi", "geojson"):
        assert say("export", desk, tmp_path / form, "--format", form) == (
            f"{tmp_path / form}: 1 fields, 1 revisions, 0 boxes.\n"
        )
        tables = {path.name for path in (tmp_path / form).glob("*.csv")}
        assert tables == {"audit.csv", "times.csv", "costs.csv", "comments.csv", "boxes.csv"}
    assert json.loads((tmp_path / "dataset/datalist.json").read_text())["training"]


def test_exported_outlines_are_imported_for_a_person_and_what_fits_no_field_is_named(say, tmp_path):
    desk = tmp_path / "screen.desk"
    make_dataset(tmp_path / "data", 2)
    say("create", desk, tmp_path / "data", "--start", "cip")
    say("invite", desk, "anna")
    with Project(desk) as project:
        session = owner_session(project)
        token = session.open("B01_f1")
        session.close(token, "accepted", revision=session.head(token).revision)
    say("export", desk, tmp_path / "out", "--format", "geojson")
    files = [tmp_path / "out/B01_f1.geojson", tmp_path / "out/B77_f1.geojson"]
    files[1].write_bytes(files[0].read_bytes())
    said = say("import", desk, *files, "--person", "anna", "--accept", code=3)
    assert "B77_f1.geojson: A file of outlines must be named after a field of the project" in said
    with Project(desk) as project:
        assert project.value("SELECT name FROM accepted_now JOIN person ON person.id = person") == "anna"


def test_a_study_is_planned_rated_and_unblinded(say, tmp_path):
    make_project(tmp_path, 8).close()
    desk = tmp_path / "screen.desk"
    said = say("study", desk, "anna", "ben", "--images", 6, "--training", 1, "--repeat-share", 0.4)
    assert said.startswith("10 trials drawn. Make their links: noisylabels annotate invite ")
    links = say("invite", desk, "anna", "ben", "zoe", "--url", "http://desk:1/").splitlines()
    assert [link.split(":")[0] for link in links] == ["anna (rater)", "ben (rater)", "zoe (annotator)"]
    assert all("http://desk:1/?token=" in link and TOKEN.search(link) for link in links)
    assert say("unblind", desk, tmp_path / "out", code=2).startswith(
        "noisylabels: A study must be finished before it is unblinded, got 10 open trials (anna 5, ben 5)."
    )
    with Project(desk) as project:
        for name in ("anna", "ben"):
            rating = RatingDesk(project, person_of(project, name))
            while (token := rating.next()) is not None:
                rating.score(token, 4, 6)
    assert say("unblind", desk, tmp_path / "out").startswith(f"{tmp_path / 'out' / 'ratings.csv'} (the scores")
    with (tmp_path / "out/ratings.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


def test_somebody_is_revoked_and_a_moved_dataset_is_linked(say, tmp_path):
    make_project(tmp_path, 2).close()
    desk = tmp_path / "screen.desk"
    assert say("invite", desk, "Zoë Müller").startswith("Zoë Müller (annotator): http://127.0.0.1:8765/?token=")
    assert say("revoke", desk, "Zoë Müller") == "Zoë Müller: 0 browsers logged out, 1 unopened links ended.\n"
    (tmp_path / "dataset").rename(tmp_path / "moved")
    assert say("relink", desk, tmp_path / "moved") == f"{desk}: linked with {tmp_path / 'moved'}.\n"
    (tmp_path / "moved/images/B01_f1.ome.tif").unlink()
    assert say("relink", desk, tmp_path / "moved", code=3).endswith("or others than they were: B01_f1\n")


def test_the_queue_is_shown_scored_and_changed(say, tmp_path):
    make_project(tmp_path, 4).close()
    desk = tmp_path / "screen.desk"
    assert say("queue", desk) == "strategy: order\nstart: blank\nrandom_share: 0.1\nrepeat_share: 0.1\n"
    assert say("score", desk, "disagreement") == "disagreement: 4 fields scored.\n"
    assert say("queue", desk, "--strategy", "disagreement", "--start", "cdl").startswith(
        "strategy: disagreement\nstart: cdl\n"
    )
    (tmp_path / "issues.csv").write_text("field,value\nB02_f1,3\n")
    assert say("score", desk, "label_issue", "--table", tmp_path / "issues.csv") == "label_issue: 1 fields scored.\n"
    assert say("score", desk, "uncertainty", code=2).startswith("noisylabels: Scores of uncertainty must come from")


def test_boxes_are_laid_before_groups(say, tmp_path):
    make_project(tmp_path, 5).close()
    said = say("boxes", tmp_path / "screen.desk", "--group", "ella,eva", "--group", "emil", "--n-fields", 3)
    assert said.startswith("9 tasks. Make the experts' links:")


def test_the_status_counts_everybodys_work_and_names_no_method(say, tmp_path):
    desk = tmp_path / "screen.desk"
    with make_project(tmp_path, 9) as project:
        session = owner_session(project)
        token = session.next()
        session.close(token, "accepted", revision=session.head(token).revision)
        session.next()
    assert say("status", desk) == "9 fields: 1 accepted, 1 open\nowner (owner): 1 of 2 tasks accepted\n"
    say("study", desk, "anna", "ben", "--images", 6, "--training", 1)
    say("boxes", desk, "--group", "ella", "--n-fields", 4)
    with Project(desk) as project:
        rating = RatingDesk(project, person_of(project, "anna"))
        rating.score(rating.next(), 3, 3)
    lines = say("status", desk).splitlines()
    assert sorted(line[: line.index(" (")] for line in lines[1:]) == ["anna", "ben", "ella", "owner"]
    assert {"ella (expert, 1): 0 of 4 fields closed", "owner (owner): 1 of 2 tasks accepted"} <= set(lines)
    assert next(line for line in lines if line.startswith("anna")).endswith("): 1 of 4 trials scored")
    assert "cip" not in "".join(lines)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["none.desk"],
            "none.desk must be a project file, but it does not exist. Make it: noisylabels annotate create.",
        ),
        (["dataset"], "dataset must be a project file, got a folder. Make one of it: noisylabels annotate create"),
        (["create", "a.desk", "nowhere"], "must be a dataset folder with dataset.json"),
        (["screen.desk", "--host", "0.0.0.0"], "host must be 127.0.0.1 unless there is a token, got 0.0.0.0."),
        (["screen.desk", "--token-file", "none.txt"], "A token file must exist, got none.txt."),
        (["screen.desk", "--bundle", "cdl=none.pt"], "A bundle must be NAME=path of an existing model.pt"),
        (["export", "screen.desk", "out", "--format", "bmp"], "A format must be one of dataset, tiff, nifti, ome-zarr"),
        (["export", "screen.desk", "out"], "screen.desk must have accepted corrections to export, got none."),
        (["study", "screen.desk", "anna"], "Raters must be different people, a multiple of the 2 subsets"),
    ],
)
def test_mistakes_are_told_in_one_sentence(say, tmp_path, monkeypatch, words, sentence):
    make_project(tmp_path, 50 if words[0] == "study" else 1).close()
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    said = say(*words, code=2)
    assert said.startswith("noisylabels: ")
    assert sentence in said
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_damaged_project_is_told_and_stays(say, tmp_path):
    make_project(tmp_path, 1).close()
    desk = tmp_path / "screen.desk"
    desk.write_bytes(desk.read_bytes()[:6000])
    before = desk.read_bytes()
    assert "must be a sound project file, got a damaged one" in say(desk, code=2)
    assert desk.read_bytes() == before


def test_help_is_light():
    heavy = "('torch', 'numpy', 'starlette')"
    words = f"import sys; import noisylabels.commands.annotate; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_a_project_of_4000_fields_reads_no_picture(tmp_path):
    """A few dozen queries whatever the number of fields; benchmarks/desk.py measures the time."""
    with make_project(tmp_path, 1) as project:
        row = tuple(project.row("SELECT * FROM field"))
        with project.writing() as connection:
            connection.executemany(
                f"INSERT INTO field VALUES ({', '.join('?' * len(row))})",
                [(number, f"f{number}", *row[2:-1], number / 4001) for number in range(2, 4001)],
            )
    (tmp_path / "dataset" / "images").rename(tmp_path / "elsewhere")
    with Project(tmp_path / "screen.desk") as project:
        session = owner_session(project)
        assert project.value("SELECT count(*) FROM field") == 4000
        statements = []
        project._connection.set_trace_callback(statements.append)
        assert session.next() is not None
        project._connection.set_trace_callback(None)
        assert len(statements) < 40
    assert sqlite3.sqlite_version_info >= (3, 37)  # STRICT tables
