"""The table of networks that learnt a pipeline's labels of every plate, from drawn rows."""

from benchmarks.every_plate import COLUMNS, write_lines


def test_the_gain_is_told_with_its_interval_and_relative_to_the_published_pipeline():
    values = ["s1", "consensus", "500", "0", "0.5", "0.6", "0.75", "0.25", "0.2", "0.3"]
    *_, line = write_lines([dict(zip(COLUMNS, values, strict=True))])
    assert line == "| s1 | consensus | 500 | 0.500 | 0.600 | 0.750 | +0.250 [0.200, 0.300] | +50% |"
    assert len(list(write_lines([]))) == 2
