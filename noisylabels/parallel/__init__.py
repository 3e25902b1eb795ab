"""Run a function over many items: a pool of processes, Dask, shards."""
