"""The page of all ratios: what benchmarks hand over, how it is written down, what is named when it is missing."""

import doctest
import json
import math
import re
import sys
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import page, parts, ratios, rows
from benchmarks.__main__ import main
from benchmarks.parts import ELSEWHERE, PARTS, Part, Run, call, run_part
from benchmarks.ratios import LeftOut, Ratio, hand_over, missing, take_over
from benchmarks.rows import describe_machine, list_rows, read_machine, read_rows, write_rows

ROOT = Path(__file__).parent.parent
AMOUNTS = st.floats(1e-6, 1e6)
COSTS = st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.tuples(*[AMOUNTS] * n)] * 3))
WORDS = st.text("ab |,:", min_size=1, max_size=8)


@st.composite
def drawn_ratios(draw):
    ours, peer, floor = draw(COSTS)
    with_peer, with_floor, met = draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from([None, True, False]))
    return Ratio(
        draw(WORDS),
        ours if len(ours) > 1 else ours[0],
        draw(st.sampled_from(["ms", "s", "MiB"])),
        draw(st.sampled_from(["cpu", "wall", ""])),
        *((peer if len(peer) > 1 else peer[0], "the peer") if with_peer else (None, "")),
        *((floor if len(floor) > 1 else floor[0], "the floor") if with_floor else (None, "")),
        aim="" if met is None else "below 1",
        met=met,
    )


def run_of(*measured, part=PARTS[0], failure="", load=(0.0, 1.0)):
    return Run(part, "python -m benchmarks.x", measured, failure, 2.0, load)


def show(*runs, not_asked=(), quick=False):
    return page.render(list_rows(runs, not_asked), {"date": "2026-01-02", "sizes": "quick" if quick else "full"})


def read_table(text):
    """Read the one table of the page: a dictionary for each of its lines."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    heads, _, *rest = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(heads, line, strict=True)) for line in rest]


def test_the_examples_of_the_ratios_hold():
    assert doctest.testmod(ratios) == (0, 6)


def test_nothing_handed_over_is_an_empty_answer(tmp_path, capsys):
    hand_over([], tmp_path / "a.json")
    assert take_over(tmp_path / "a.json") == []
    assert capsys.readouterr().out == ""


@given(st.lists(drawn_ratios(), max_size=4), st.lists(st.builds(LeftOut, WORDS, WORDS), max_size=2))
def test_what_is_handed_over_arrives(tmp_path_factory, measured, left_out):
    path = tmp_path_factory.mktemp("answer") / "a.json"
    hand_over([*left_out, *measured], path)
    assert take_over(path) == [*measured, *left_out]
    assert [item.name for item in path.parent.iterdir()] == ["a.json"]


@given(COSTS)
def test_a_ratio_is_the_median_over_the_rounds(costs):
    ours, peer, floor = costs
    ratio = Ratio("a", ours, "s", "cpu", peer, "b", floor, "c")
    assert ratio.peer_over == median(peer[i] / ours[i] for i in range(len(ours)))
    assert ratio.over_floor == median(ours[i] / floor[i] for i in range(len(ours)))


def test_a_ratio_to_nothing_is_infinite_and_to_none_is_none():
    assert Ratio("a", 1.0, "s", "cpu", floor=0.0).over_floor == math.inf
    assert Ratio("a", 1.0, "s", "cpu").over_floor is None
    assert Ratio("a", 1.0, "s", "cpu").peer_over is None


def test_rounds_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        _ = Ratio("a", (1.0, 2.0), "s", "cpu", floor=(1.0,)).over_floor


def test_nothing_measured_is_a_table_of_no_rows(tmp_path):
    write_rows(tmp_path / "a.csv", list_rows([]))
    assert read_rows(tmp_path / "a.csv") == []


@given(st.lists(drawn_ratios(), max_size=4), st.lists(st.builds(LeftOut, WORDS, WORDS), max_size=2))
def test_every_ratio_has_a_row_of_the_table_that_says_the_same(tmp_path_factory, measured, left_out):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    write_rows(path, list_rows([run_of(*measured, *left_out)]))
    kept = read_rows(path)
    for row, one in zip(kept, [*measured, *left_out], strict=True):
        assert (row.benchmark, row.command, row.seconds) == ("evaluation", "python -m benchmarks.x", 2.0)
        assert (row.load_before, row.load_after, row.what) == (0.0, 1.0, one.what)
        if isinstance(one, LeftOut):
            assert (row.kind, row.why, row.ours) == ("left out", one.why, None)
            continue
        assert (row.kind, row.clock, row.unit) == ("ratio", one.clock, one.unit)
        assert (row.peer, row.floor, row.aim, row.met) == (one.peer_name, one.floor_name, one.aim, one.met)
        for number, value in (
            (row.ours, median(one.ours) if isinstance(one.ours, tuple) else one.ours),
            (row.peer_over_ours, one.peer_over),
            (row.ours_over_floor, one.over_floor),
        ):
            assert number == (value if value is None else pytest.approx(value, rel=0.0006))


@given(st.lists(drawn_ratios(), max_size=6))
def test_the_page_has_a_line_for_each_benchmark_with_its_least_and_greatest_ratio(measured):
    text = show(run_of(*measured))
    if not measured:
        assert "|" not in text
        return
    (line,) = read_table(text)
    assert (line["`python -m benchmarks.`"], line["measures"]) == ("evaluation", PARTS[0].about)
    for head, values in (
        ("peer / ours", [one.peer_over for one in measured if one.peer_over is not None]),
        ("ours / floor", [one.over_floor for one in measured if one.over_floor is not None]),
    ):
        ends = [float(end) for end in line[head].split(" to ") if end]
        assert bool(ends) == bool(values)
        assert not values or (ends[0], ends[-1]) == pytest.approx((min(values), max(values)), rel=0.006)


def test_what_is_dearer_than_another_way_and_what_missed_its_aim_is_named_first():
    ways = [Ratio("a", 1.0, "s", "cpu", 0.5, "b"), Ratio("a", 1.0, "s", "cpu", 3.0, "c", aim="below c", met=True)]
    text = show(run_of(*ways, Ratio("d", 1.0, "s", "cpu", aim="below 0.5 s", met=False)))
    findings = text.split("## In short\n\n")[1].split("\n|")[0]
    assert findings == (
        "Ours is cheaper than another way in 1 of 2 rows.\nAims met: 1 of 2.\nDearer (peer / ours):\n\n"
        "- a, beside b: 0.500\n\n**Aims missed**:\n\n- d: below 0.5 s\n"
    )
    assert read_table(text)[0]["aims met"] == "1 of 2"


def test_a_ratio_to_nothing_is_kept_and_is_no_end_of_a_span(tmp_path):
    write_rows(tmp_path / "a.csv", list_rows([run_of(Ratio("a", 1.0, "s", "cpu", floor=0.0, floor_name="b"))]))
    (row,) = read_rows(tmp_path / "a.csv")
    assert row.ours_over_floor == math.inf
    assert page.span([row.ours_over_floor, 2.0]) == "2.00"


def test_the_page_of_nothing_says_so():
    text = show()
    assert "Ours is cheaper than another way in 0 of 0 rows.\n" in text
    assert "## Left out\n\nNothing.\n" in text
    assert "## Failed\n\nNothing.\n" in text


def test_the_page_names_machine_and_versions(monkeypatch):
    monkeypatch.setattr(rows, "PACKAGES", ("numpy", "no-such-package"))
    text = page.describe(describe_machine(quick=False))
    assert f"; numpy {sys.modules['numpy'].__version__}; no-such-package not installed.\n" in text
    assert re.match(r"## The machine\n\nprocessor \S.*; cores [1-9]\d*; system ", text)


@pytest.mark.parametrize(
    ("loads", "loaded"),
    [([(0.1, 1.0), (1.0, 2.1)], False), ([(0.6, 1.0)], True), ([(0.1, 1.0), (1.0, 2.6)], False)],
)
def test_a_loaded_machine_is_told(loads, loaded):
    measured = Ratio("a", 1.0, "s", "cpu")
    text = show(*(run_of(measured, part=part, load=load) for part, load in zip(PARTS, loads, strict=False)))
    assert ("**Other programs ran beside it**" in text) == loaded
    first, most = loads[0][0], max(load for pair in loads for load in pair)
    assert f"The load average was {first} before the first benchmark and at most {most} between\ntwo" in text


def test_quick_sizes_are_told_and_who_has_none():
    measured = Ratio("a", 1.0, "s", "cpu")
    small, only = Part(("resampling",), quick=("60",)), Part(("cip",))
    text = show(run_of(measured, part=small), run_of(measured, part=only), quick=True)
    assert "**At quick sizes**" in text
    assert "At their only size: `cip`." in text
    assert "quick sizes" not in show(run_of(measured, part=small))


def test_what_failed_and_what_was_not_asked_for_is_named():
    text = show(run_of(failure="exit status 3: no disk"), not_asked=[PARTS[1]])
    assert f"## Failed\n\n- {PARTS[0].name}: exit status 3: no disk\n" in text
    assert f"- {PARTS[1].name}: not asked for (`--only`)\n" in text


def test_a_missing_extra_is_named_on_the_page(monkeypatch):
    from benchmarks import evaluation, inference

    monkeypatch.setattr(ratios, "find_spec", lambda package: None)
    assert missing("a peer", "numpy") == LeftOut("a peer", "numpy is not installed (pip install 'noisylabels[bench]')")
    text = show(run_of(*evaluation.lack(), *inference._left_out()))
    for package in ("torchmetrics", "surface_distance", "openvino"):
        assert f": {package} is not installed (pip install 'noisylabels[bench]')\n" in text


def test_a_missing_browser_is_named(monkeypatch, tmp_path):
    from benchmarks import annotation

    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["annotation", "--json", str(tmp_path / "a.json")])
    annotation.main()
    (left_out,) = take_over(tmp_path / "a.json")
    assert left_out.what == "the correction page"
    assert left_out.why.startswith("No Chromium here")


def test_a_missing_gpu_is_named(monkeypatch, tmp_path):
    from benchmarks import screening

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert screening.part_gpu(tmp_path) == [LeftOut("screening on a GPU", "PyTorch finds none here")]


def test_every_file_is_on_the_page_or_named_with_its_reason():
    files = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    on_the_page = {part.words[0] for part in PARTS}
    assert on_the_page | set(ELSEWHERE) == files
    assert on_the_page & set(ELSEWHERE) == set()
    assert all(len(why) > 10 for why in ELSEWHERE.values())
    text = show(not_asked=PARTS)
    assert [part.name for part in PARTS if f"- {part.name}: " not in text] == []


def test_every_part_of_screening_is_on_the_page():
    from benchmarks.screening import PARTS as SCREENING

    assert [part.words[1] for part in PARTS if part.words[0] == "screening"] == list(SCREENING)


def test_a_benchmark_that_fails_does_not_stop_the_others_and_the_page_is_written(monkeypatch, tmp_path, capsys):
    broken, whole = Part(("screening", "nonsense")), Part(("resampling", "12"))
    monkeypatch.setattr("benchmarks.__main__.PARTS", (broken, whole))
    path = tmp_path / "new" / "page.md"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--page", str(path)])
    assert main() == 1
    assert capsys.readouterr().err.endswith("Failed: screening-nonsense.\n")
    text = path.read_text()
    assert re.search(r"## Failed\n\n- screening-nonsense: exit status 2: .*PART must be one of", text)
    assert [line["`python -m benchmarks.`"] for line in read_table(text)] == ["resampling 12"]
    assert float(read_table(text)[0]["peer / ours"].split(" to ")[0]) > 0
    assert "[the table of all](tables/page.csv)" in text
    kept = read_rows(tmp_path / "new/tables/page.csv")
    assert {row.command for row in kept if row.kind == "ratio"} == {"python -m benchmarks.resampling 12"}
    assert read_machine(tmp_path / "new/tables/page_machine.csv")["sizes"] == "quick"
    assert sorted(item.name for item in path.parent.iterdir()) == ["page.md", "tables"]


def test_the_page_is_written_again_from_its_tables(monkeypatch, tmp_path):
    tables = ROOT / "docs/tables"
    page_again = tmp_path / "benchmarks.md"
    monkeypatch.setattr(sys, "argv", ["b", "--from", str(tables / "benchmarks.csv"), "--page", str(page_again)])
    assert main() == 0
    assert page_again.read_text() == (ROOT / "docs/benchmarks.md").read_text()
    assert [item.name for item in tmp_path.iterdir()] == ["benchmarks.md"]


def test_rows_that_are_not_there_are_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["b", "--from", "none.csv", "--page", str(tmp_path / "page.md")])
    with pytest.raises(SystemExit, match=r"^2$"):
        main()
    told = "error: --from must name a table that a past run wrote, got none.csv.\n"
    assert capsys.readouterr().err.endswith(told)


def test_only_what_is_asked_for_runs(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.__main__.PARTS", (Part(("nonsense",)), Part(("resampling", "12"))))
    monkeypatch.setattr(sys, "argv", ["b", "--only", "resampling-12", "--quick", "--page", str(tmp_path / "page.md")])
    assert main() == 0
    assert "- nonsense: not asked for (`--only`)\n" in (tmp_path / "page.md").read_text()


def test_an_unknown_name_is_refused_before_anything_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["b", "--only", "resamplin", "--page", str(tmp_path / "page.md")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "invalid choice: 'resamplin'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_each_part_runs_on_one_thread(tmp_path):
    code = f"import json, os; json.dump(dict(os.environ), open({str(tmp_path / 'told')!r}, 'w'))"
    assert call([sys.executable, "-c", code], tmp_path / "errors") == ""
    told = json.loads((tmp_path / "told").read_text())
    assert {name: told[name] for name in parts.ONE_THREAD} == dict.fromkeys(parts.ONE_THREAD, "1")
    assert "OMP_NUM_THREADS" in parts.ONE_THREAD


def test_a_benchmark_that_hangs_is_ended(tmp_path):
    failure = call([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "errors", limit_s=0.2)
    assert failure == "it took more than 0.2 s and was ended"


def test_a_benchmark_that_hands_nothing_over_has_failed():
    silent = Part(("ratios",))  # a module without a main: it ends well and writes nothing
    assert run_part(silent, quick=False, clock="cpu").failure == "it ended without handing over a ratio"


def test_the_clock_is_told_to_those_that_know_it():
    part = Part(("training",), quick=("--repeats", "1"), has_clock=True)
    assert part.command(quick=False, clock="cpu") == ["-m", "benchmarks.training", "--clock", "cpu"]
    assert part.command(quick=True, clock="wall")[2:] == ["--clock", "wall", "--repeats", "1"]
    for part in PARTS:
        source = (ROOT / "benchmarks" / f"{part.words[0]}.py").read_text()
        assert part.has_clock == ('"--clock"' in source)


def test_the_makefile_installs_the_extra_with_torch_pinned_and_writes_the_page():
    makefile = (ROOT / "Makefile").read_text()
    target = re.search(
        r"^bench: .*\$\(VENV\)/bench\.stamp.*\n\t\$\(BIN\)/python -m benchmarks\n", makefile, re.MULTILINE
    )
    assert target
    recipe = makefile.split("$(VENV)/bench.stamp: ")[1].split("\n\n")[0]
    assert re.search(r"pip install .*torch==\$\(TORCH\) --editable '\.\[bench\]'", recipe)
