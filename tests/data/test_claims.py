"""A folder holds one piece of work, and says which."""

import json

import pytest

from noisylabels.data.claims import claim_folder, refuse_other, require_new_folder
from noisylabels.data.errors import InputError

ADVICE = "Name another."


def test_what_a_folder_holds_is_written_down_and_the_same_work_goes_on(tmp_path):
    record = tmp_path / "run" / "about.json"
    claim_folder(record, {"seed": 1, "sizes": (2, 3)}, advice=ADVICE, taken=False)
    before = record.stat().st_mtime_ns
    claim_folder(record, {"sizes": [2, 3], "seed": 1}, advice=ADVICE)
    assert json.loads(record.read_text()) == {"seed": 1, "sizes": [2, 3]}
    assert record.stat().st_mtime_ns == before


def test_other_work_is_refused_with_what_differs_and_nothing_is_written(tmp_path):
    record = tmp_path / "about.json"
    claim_folder(record, {"seed": 1, "rows": 5, "version": "1"}, advice=ADVICE, taken=False)
    with pytest.raises(InputError) as caught:
        claim_folder(record, {"seed": 2, "rows": 6, "version": "1"}, advice=ADVICE)
    assert str(caught.value) == (
        f"{tmp_path} must hold what was made with the same settings to go on, got other seed, rows. Name another."
    )
    assert json.loads(record.read_text())["seed"] == 1


def test_a_folder_without_results_may_be_begun_anew(tmp_path):
    record = tmp_path / "about.json"
    claim_folder(record, {"seed": 1}, advice=ADVICE, taken=False)
    claim_folder(record, {"seed": 2}, advice=ADVICE, taken=False)
    assert json.loads(record.read_text()) == {"seed": 2}


def test_results_that_nobody_wrote_down_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"got results without about\.json\. Name another\.$"):
        claim_folder(tmp_path / "about.json", {"seed": 1}, advice=ADVICE)
    refuse_other(tmp_path / "about.json", {"seed": 1}, advice=ADVICE)


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"seed": 1', b"\xff\xfe"])
def test_a_damaged_record_is_one_sentence(tmp_path, content):
    record = tmp_path / "about.json"
    record.write_bytes(content)
    with pytest.raises(InputError, match="must be a JSON mapping that says what its folder holds"):
        claim_folder(record, {"seed": 1}, advice=ADVICE)
    assert record.read_bytes() == content


def test_a_value_of_none_is_not_a_value_that_is_missing(tmp_path):
    record = tmp_path / "about.json"
    record.write_text("{}")
    with pytest.raises(InputError, match="got other seed"):
        refuse_other(record, {"seed": None}, advice=ADVICE)


def test_a_new_folder_is_missing_or_empty(tmp_path):
    require_new_folder(tmp_path / "none")
    require_new_folder(tmp_path)
    (tmp_path / "a").touch()
    with pytest.raises(InputError) as caught:
        require_new_folder(tmp_path)
    assert str(caught.value) == f"{tmp_path} must be a new or empty folder, got 1 entries. Name another."
