"""Declarations: what is read, and what is refused in one sentence."""

from pathlib import Path

import pytest

from noisylabels.data.errors import InputError
from noisylabels.experiments.declaration import noise_at
from noisylabels.experiments.grid import identify, list_runs, recipe_of
from noisylabels.experiments.reading import declare, find_declaration, read_declaration

SMALL = {
    "name": "small",
    "question": "Does it run?",
    "data": {"toy": {"fields": 8}},
    "noise": {"random": {"missed": {"rate": "$dose"}}, "swaps": {"misclassified": {"rate": "$dose"}}},
    "grid": {"noise": ["random", "swaps"], "dose": [0, 0.5], "method": ["gdl"]},
    "methods": {"gdl": {}, "ce": {"preset": ["robust_ce"]}},
    "seeds": {"noise": [0, 1], "weights": [5]},
}
SHIPPED = sorted((Path(__file__).parents[2] / "noisylabels" / "experiments" / "declared").glob("*.yaml"))


def changed(**keys):
    return {**SMALL, **keys}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_declaration_is_one_and_has_runs(path):
    declaration = read_declaration(path.stem)
    assert declaration.name == path.stem
    assert list_runs(declaration)


def test_a_grid_is_crossed_and_dose_zero_is_one_clean_run_for_all_noises():
    runs = list_runs(declare(SMALL))
    assert [(run.noise, run.dose, run.noise_seed) for run in runs] == [
        ("clean", 0.0, 0),
        ("random", 0.5, 0),
        ("swaps", 0.5, 0),
        ("random", 0.5, 1),
        ("swaps", 0.5, 1),
    ]
    assert {run.weights_seed for run in runs} == {5}


def test_equal_steps_are_part_of_a_recipe_only_where_they_are_declared():
    sizes = {**SMALL["grid"], "n_train": [2, 4]}
    plain, equal = declare(changed(grid=sizes)), declare(changed(grid=sizes, equal_steps=True))
    run = list_runs(plain)[0]
    assert recipe_of(run, equal) == recipe_of(run, plain) | {"steps_of": 4}
    whole = declare(changed(grid={**SMALL["grid"], "n_train": [2, None]}, equal_steps=True))
    assert recipe_of(run, whole)["steps_of"] == "all"
    mixed = {**SMALL["methods"], "mixed": {"trusted": 2, "use": "mix"}}
    with pytest.raises(InputError, match="must not have use: mix with equal_steps"):
        declare(changed(methods=mixed, equal_steps=True))
    with pytest.raises(InputError, match="the key equal_steps must be true or false, got 'yes'"):
        declare(changed(equal_steps="yes"))


def test_a_noise_may_have_levels_of_its_own():
    content = changed(
        noise={**SMALL["noise"], "shrunk": {"boundary": {"rate": 1, "shift_px": "-$dose"}}},
        grid={"noise": ["random", "swaps", "shrunk"], "dose": [0, 0.5], "method": ["gdl", "ce"]},
        only={"swaps": {"method": ["gdl"]}, "shrunk": {"dose": [2], "method": ["gdl"]}},
        seeds={},
    )
    assert [(run.noise, run.dose, run.method) for run in list_runs(declare(content))] == [
        ("clean", 0.0, "gdl"),
        ("clean", 0.0, "ce"),
        ("random", 0.5, "gdl"),
        ("random", 0.5, "ce"),
        ("swaps", 0.5, "gdl"),
        ("shrunk", 2.0, "gdl"),
    ]


def test_levels_of_its_own_do_not_change_what_a_run_is():
    plain, own = declare(SMALL), declare(changed(only={"random": {"dose": [0.5]}}))
    runs = list_runs(own)
    assert set(runs) <= set(list_runs(plain))
    assert [recipe_of(run, own) for run in runs] == [recipe_of(run, plain) for run in runs]


def test_seeds_side_by_side_go_through_together():
    seeds = {"noise": [0, 1], "weights": [7, 8], "order": [3]}
    runs = list_runs(declare(changed(seeds=seeds, crossed=False)))
    noisy = {(run.noise_seed, run.weights_seed, run.order_seed) for run in runs if run.dose}
    assert noisy == {(0, 7, 3), (1, 8, 3)}


def test_seeds_side_by_side_must_be_equally_many():
    with pytest.raises(InputError, match=r"equally many, got \[2, 3, 1, 1\]"):
        list_runs(declare(changed(seeds={"noise": [0, 1], "weights": [1, 2, 3]}, crossed=False)))


def test_the_dose_stands_for_itself_and_for_its_negative():
    recipe = {"boundary": {"rate": 1, "shift_px": "-$dose"}, "missed": [{"rate": "$dose"}]}
    assert noise_at(recipe, 2.0) == {"boundary": {"rate": 1, "shift_px": -2.0}, "missed": [{"rate": 2.0}]}


def test_an_identity_depends_on_recipe_data_and_code_and_on_nothing_else():
    declaration = declare(SMALL)
    recipes = [recipe_of(run, declaration) for run in list_runs(declaration)]
    ids = {identify(recipe, data="d", code="c") for recipe in recipes}
    assert len(ids) == len(recipes)
    renamed = declare(changed(name="other", question="Another?", max_hours=1.0))
    assert recipe_of(list_runs(renamed)[0], renamed) == recipes[0]
    assert identify(recipes[0], data="d", code="c") != identify(recipes[0], data="e", code="c")
    assert identify(recipes[0], data="d", code="c") != identify(recipes[0], data="d", code="v2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(changed(nois={}), "In declaration the key nois must be .* Did you mean noise", id="unknown key"),
        pytest.param(changed(data={"toyy": {}}), "the key data.toyy must be .* Did you mean toy", id="key of data"),
        pytest.param(
            changed(methods={"gdl": {"trustd": 3}}), "In method 'gdl' .* key trustd .* mean trusted", id="key of method"
        ),
        pytest.param(changed(methods={"gdl": 3}), "In method 'gdl' .*, got 3", id="method of another kind"),
        pytest.param(changed(equal_steps="maybe"), "the key equal_steps must be true or false, got 'maybe'", id="bool"),
        pytest.param(changed(margin="x"), "the key margin must be a number, got 'x'", id="number"),
        pytest.param({"name": "x"}, "must have the key question", id="missing key"),
        pytest.param(changed(grid={**SMALL["grid"], "loss": [1]}), "must be among noise, .*, got 'loss'", id="factor"),
        pytest.param(changed(grid={**SMALL["grid"], "method": []}), "got none for method", id="0 runs"),
        pytest.param(changed(grid={**SMALL["grid"], "dose": 0.5}), r"must be lists, got 0.5 for dose", id="no list"),
        pytest.param(changed(only={"dim": {"dose": [1]}}), r"grid \(random, swaps\), got 'dim'", id="only of none"),
        pytest.param(
            changed(only={"swaps": {"noise": ["random"]}}),
            "own levels of 'swaps' in declaration must be among n_train, dose, method, got 'noise'",
            id="only by noise",
        ),
        pytest.param(changed(only={"swaps": {"dose": []}}), "own levels of 'swaps'.*got none for dose", id="only none"),
        pytest.param(changed(only={"swaps": {"method": ["gce"]}}), "got 'gce'", id="only of an unknown method"),
        pytest.param(changed(only={"swaps": {"dose": [5]}}), r"rate must be in \[0, 1\]", id="only at a wrong dose"),
        pytest.param(
            changed(only=["swaps"]), r"only of declaration must be a mapping, got \['swaps'\]", id="only list"
        ),
        pytest.param(
            changed(only={"swaps": 0.5}), "only of 'swaps' of declaration must be a mapping, got 0.5", id="only number"
        ),
        pytest.param(changed(max_hours=0), "max_hours of declaration must be above 0, got 0", id="no budget"),
        pytest.param(changed(max_hours="12 h"), "must be above 0, got '12 h'", id="budget in words"),
        pytest.param(changed(grid={**SMALL["grid"], "method": ["gce"]}), "one of ce, gdl, got 'gce'", id="method"),
        pytest.param(changed(grid={**SMALL["grid"], "noise": ["dim"]}), "got 'dim'", id="noise"),
        pytest.param(
            changed(noise={"random": "cip-lscb", "swaps": {}}), "labels:NAME, a file or one of careful", id="preset"
        ),
        pytest.param(
            changed(noise={"random": {"mised": {"rate": 0.1}}}, grid=SMALL["grid"] | {"noise": ["random"]}),
            "Noise 'random' of declaration: .*mised",
            id="kind",
        ),
        pytest.param(changed(grid={**SMALL["grid"], "dose": [5]}), r"rate must be in \[0, 1\]", id="dose"),
        pytest.param(
            changed(data={"toy": {}, "folder": "x"}), "must name one of folder, imported, simulate, toy", id="two data"
        ),
        pytest.param(changed(validation="dirty"), "one of clean, noisy, none, got 'dirty'", id="validation"),
        pytest.param(changed(methods={"gdl": {"trusted": 3}}), "trusted and use", id="trusted without use"),
    ],
)
def test_a_faulty_declaration_is_refused_in_one_sentence(content, message):
    with pytest.raises(InputError, match=message) as caught:
        declare(content)
    assert "\n" not in str(caught.value)


def test_presets_and_labels_as_they_are_have_one_dose_and_labels_have_no_seed():
    noise = {"random": "cip-lcsb", "swaps": "labels:cip"}
    runs = list_runs(declare(changed(noise=noise, grid={**SMALL["grid"], "dose": [0.3, 0.5]})))
    assert [(run.noise, run.dose, run.noise_seed) for run in runs] == [
        ("random", 1.0, 0),
        ("swaps", 1.0, 0),
        ("random", 1.0, 1),
    ]


def test_an_unknown_declaration_lists_the_shipped_ones():
    with pytest.raises(FileNotFoundError, match=r"must be a YAML file or one of .*tiny.*, got tinny"):
        find_declaration("tinny")


def test_a_path_in_a_declaration_is_relative_to_it(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nquestion: q\ndata: {folder: ../screen}\ngrid: {noise: [n], method: [gdl]}\n"
        "noise: {n: {missed: {rate: 0.1}}}\nmethods: {gdl: {}}\n"
    )
    assert read_declaration(tmp_path / "mine.yaml").data.folder == str((tmp_path / "../screen").resolve())
