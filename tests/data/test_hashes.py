"""Hashes of what a result depends on."""

import hashlib

import numpy as np
import pytest

from noisylabels.data.hashes import hash_array, hash_code, hash_file, hash_files, hash_values, stamp_files


def test_a_file_has_the_hash_that_sha256sum_prints(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert hash_file(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_order_of_files_counts_and_their_names_do_not(tmp_path):
    for name, text in (("a", "one"), ("b", "two"), ("c", "one")):
        (tmp_path / name).write_text(text)
    a, b, c = (tmp_path / name for name in "abc")
    assert hash_files([a, b]) == hash_files([c, b]) != hash_files([b, a])
    parts = b"".join(hashlib.sha256(text).digest() for text in (b"one", b"two"))
    assert hash_files([a, b]) == hashlib.sha256(parts).hexdigest()


def test_a_view_has_the_hash_of_its_copy():
    array = np.arange(12).reshape(3, 4)
    assert hash_array(array.T) == hash_array(array.T.copy()) != hash_array(array)


def test_values_differ_by_value_not_by_order():
    assert hash_values({"a": [1, 2], "b": None}) == hash_values({"b": None, "a": [1, 2]}) != hash_values({"a": [2, 1]})


def test_stamps_tell_a_change(tmp_path):
    path = tmp_path / "a"
    path.write_text("1")
    before = stamp_files([path])
    path.write_text("12")
    assert [stamp[:2] for stamp in (*before, *stamp_files([path]))] == [("a", 1), ("a", 2)]


def test_code_without_source_is_named():
    with pytest.raises(LookupError, match=r"^sys has no source to hash$"):
        hash_code(("sys",))
    assert hash_code(("noisylabels.data.hashes",)) != hash_code(("noisylabels.data.ids",))
