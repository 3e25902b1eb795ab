"""The desk's routes: what each URL of `noisylabels/annotation/API.md` takes and answers."""
