"""Several processes that train one network: how they meet, and how they part."""

import os

import torch
import torch.distributed as dist
import torch.distributed.nn  # here, before there is a group: its functions keep for ever the one that they find
from torch.nn.parallel import DistributedDataParallel

GROUP_HOLDERS = ("process_group", "reducer", "logger")
"""What of a `DistributedDataParallel` keeps its group alive."""


def join_group() -> None:
    """Meet the other processes of a `torchrun`: with NCCL, each on its own GPU, or with Gloo where there is none."""
    on_gpus = torch.cuda.is_available()
    dist.init_process_group(backend="nccl" if on_gpus else "gloo")
    if on_gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def leave_group(network: DistributedDataParallel) -> None:
    """Wait until all processes have come here, leave their group and end its threads.

    Destroying a group ends its threads only where nothing else holds it. Those of Gloo would outlive the interpreter,
    and now and then one of them aborts a process that has done its work (pytorch/pytorch#179291).

    Args:
        network: What the processes trained together; it can train no more.
    """
    dist.barrier(device_ids=[torch.cuda.current_device()] if dist.get_backend() == "nccl" else None)
    group = dist.group.WORLD  # let go of last: it alone waits for its threads without the lock that they may wait for
    dist.destroy_process_group()
    for name in GROUP_HOLDERS:
        setattr(network, name, None)
    del group
