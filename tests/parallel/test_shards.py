import pytest

from noisylabels.data.errors import InputError
from noisylabels.parallel import Shard


def test_shards_share_all_names_and_none_twice():
    names = [f"P1/B{column:02d}_f{field:03d}" for column in range(1, 13) for field in range(3)]
    dealt = [[name for name in names if Shard(number, 3).holds(name)] for number in (1, 2, 3)]
    assert sorted(name for part in dealt for name in part) == names
    assert all(dealt)


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "a/b", "1/0", "0/2"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(InputError, match=r"^A shard must be i/n with i in 1\.\.n, got "):
        Shard.parse(text)
