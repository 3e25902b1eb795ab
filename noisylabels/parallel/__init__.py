"""Run a function over many items: in this process, in a pool of processes, on a Dask cluster; shards."""

from noisylabels.parallel.dask import DaskCluster
from noisylabels.parallel.pool import InProcess, LocalPool, local
from noisylabels.parallel.running import Engine, WorkerDiedError, run, run_batches
from noisylabels.parallel.shards import Shard

__all__ = ["DaskCluster", "Engine", "InProcess", "LocalPool", "Shard", "WorkerDiedError", "local", "run", "run_batches"]
