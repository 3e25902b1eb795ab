"""Processes that train together part in order, again and again."""

import subprocess
import sys
from pathlib import Path

ROUNDS = 40
"""A group that is let go of while the interpreter's lock is held stands still in about every tenth round."""

MEET_AND_PART = f"""
import sys
import torch
import torch.distributed as dist
from noisylabels.learning.processes import leave_group

torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), sys.argv[2]
for number in range({ROUNDS}):
    dist.init_process_group("gloo", init_method=f"file://{{folder}}/{{number}}", rank=rank, world_size=2)
    network = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4))
    network(torch.ones(2, 4)).sum().backward()
    leave_group(network)
    assert not dist.is_initialized()
print("parted")
"""


def test_processes_that_meet_and_part_many_times_never_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", MEET_AND_PART, str(rank), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    try:
        assert [process.communicate(timeout=240)[0] for process in both] == ["parted\n", "parted\n"]
    finally:
        for process in both:
            process.kill()
    assert [process.returncode for process in both] == [0, 0]
