"""A report for a repository: the same report as Markdown, without the lines that name folders of this machine."""

from types import SimpleNamespace

from noisylabels.experiments.reading import declare, read_declaration
from noisylabels.experiments.report import list_commands, report, verdict
from noisylabels.experiments.runner import plan, run_grid

GRID = {
    "name": "grid",
    "question": "Does it run?",
    "data": {"toy": {"fields": 12, "rows": 32, "columns": 40, "events": 4}},
    "noise": {"random": {"missed": {"rate": "$dose"}}},
    "grid": {"noise": ["random"], "dose": [0, 0.5], "method": ["gdl"]},
    "methods": {"gdl": {}},
    "preset": ["memorisation"],
    "overrides": {"num_epochs": 1, "network_def::channels": [4, 8], "network_def::strides": [1]},
    "validation": "none",
}


def test_a_published_report_shows_the_arms_and_no_folder_of_this_machine(tmp_path):
    declaration, folder = declare(GRID), tmp_path / "grid"
    assert [item.state for item in run_grid(declaration, folder)] == ["done"] * 2
    report(declaration, plan(declaration, folder), folder, publish=tmp_path / "public")
    written = {path.name: path.read_text() for path in (tmp_path / "public").iterdir()}
    assert {"README.md", "arms.csv", "against_labels.csv", "recall.csv", "memorisation.csv", "curves.svg"} <= set(
        written
    )
    assert "commands.csv" not in written
    assert not [name for name, text in written.items() if str(tmp_path) in text]
    page = written["README.md"]
    assert page.startswith("# Experiment: grid\n\nDoes it run?")
    assert "    noisylabels experiment run grid\n    noisylabels experiment report grid\n" in page
    assert "## Right and wrong labels" in page


def test_the_commands_of_a_page_name_the_images_where_a_reader_has_to():
    assert list_commands(read_declaration("misses"))[0] == "noisylabels experiment run misses"
    assert list_commands(read_declaration("real_u2os")) == [
        "noisylabels experiment run real_u2os --data FOLDER",
        "noisylabels experiment report real_u2os",
    ]


def judged(noise, method, low, high, n_train=None):
    arm = SimpleNamespace(noise=noise, dose=0.5, method=method, n_train=n_train)
    return SimpleNamespace(arm=arm, difference=SimpleNamespace(low=low, high=high))


def test_the_verdict_names_methods_by_noise_and_dose_and_counts_what_is_open():
    found = [
        judged("random", "gdl", 0.1, 0.2),
        judged("dim first", "gdl", -0.2, -0.1),
        judged("random", "teacher", 0.01, 0.2),
        judged("dim first", "teacher", -0.1, 0.1),
        judged("dim first", "gdl", 0.1, 0.2, n_train=6),
    ]
    assert verdict(found) == (
        "Of 5 noisy arms, above their labels 3 (random 0.5: gdl, teacher; dim first 0.5, 6 fields: gdl); "
        "below 1 (dim first 0.5: gdl); not decided 1."
    )
    assert verdict([]) == "Of 0 noisy arms, above their labels none; below none; not decided 0."
