"""One file of Typer commands for each room; loaded by `noisylabels.cli` when one of its own is called."""
