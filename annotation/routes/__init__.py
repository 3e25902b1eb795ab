"""The desk's routes: what each URL of `annotation/API.md` takes and answers."""
