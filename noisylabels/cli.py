"""The `noisylabels` command: a table of commands, each room imported only when one of its own is called."""

import difflib
import importlib
import sys

import typer

from noisylabels import __version__
from noisylabels.data.errors import InputError

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("noisylabels.commands.experiments", "The main job from nothing to a report, in a few minutes."),
    "start": ("noisylabels.commands.start", "Look at a folder of your images: what is in it, and what comes next."),
    "simulate": (
        "noisylabels.commands.imaging",
        "Simulate fields of Rosella cells with perfect truth into a dataset folder.",
    ),
    "cip": ("noisylabels.commands.imaging", "Label images with a conventional pipeline, as weak labels to train on."),
    "import": ("noisylabels.commands.imaging", "Copy images and label maps of any folder into a dataset folder."),
    "convert": ("noisylabels.commands.plates", "Look at plates as microscopes write them; convert them to OME-Zarr."),
    "screen": (
        "noisylabels.commands.screening",
        "Run a method over plates on one machine or many; measure every well.",
    ),
    "corrupt": (
        "noisylabels.commands.noise",
        "Inject label errors of chosen kinds and doses into a dataset folder, logged.",
    ),
    "calibrate": ("noisylabels.commands.noise", "Measure a label set's errors against the truth, and make them again."),
    "detect": ("noisylabels.commands.noise", "Find labels that are probably wrong; a queue for the annotators."),
    "train": ("noisylabels.commands.learning", "Train a bundle (cdl, mdl) on a dataset folder."),
    "lint-bundle": (
        "noisylabels.commands.learning",
        "List what a bundle's configs would call or evaluate, without running it.",
    ),
    "predict": (
        "noisylabels.commands.learning",
        "Write a label map for every field of a folder with a trained bundle.",
    ),
    "evaluate": (
        "noisylabels.commands.evaluation",
        "Hold label maps against a reference: counts, tables with intervals, a report.",
    ),
    "report": ("noisylabels.commands.evaluation", "Write the report of an evaluation folder anew."),
    "ratings": (
        "noisylabels.commands.evaluation",
        "Ask whether blinded experts prefer a method, how surely, and how far they agree.",
    ),
    "annotate": ("noisylabels.commands.annotation", "Correct label maps, draw boxes and rate blindly in a browser."),
    "study": (
        "noisylabels.commands.experiments",
        "The paper's study: CIP, CDL and MDL by all its evaluations, and against the truth.",
    ),
    "real-study": (
        "noisylabels.commands.experiments",
        "The study on real images: nuclei with a teacher, cells with several experts.",
    ),
    "experiment": (
        "noisylabels.commands.experiments",
        "Controlled noisy-label experiments: plan, run, collect, report.",
    ),
}
"""Command -> the module whose Typer `app` holds it, and its line in `noisylabels --help`."""

DONE, USER_MISTAKE = 0, 2


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 fault of the program, 2 mistake in what was given, 3 partly done.

    Args:
        arguments: What stands after `noisylabels`; taken from the process when None.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        sys.exit(_dispatch(words))
    except (InputError, OSError) as error:
        typer.echo(f"noisylabels: {_sentence(error)}", err=True)
        sys.exit(USER_MISTAKE)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("--help", "-h"):
        typer.echo(_overview())
        return DONE
    if words[0] == "--version":
        typer.echo(__version__)
        return DONE
    if words[0] not in COMMANDS:
        raise InputError(_unknown(words[0]))
    _app_of(COMMANDS[words[0]][0])(args=words, prog_name="noisylabels")
    return DONE


def _overview() -> str:
    width = max(map(len, COMMANDS), default=0)
    lines = [f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: noisylabels COMMAND [OPTIONS]",
            "",
            "Learn to segment microscopy screens from noisy labels, and tell how far to trust the result.",
            "",
            *lines,
            "",
            "noisylabels COMMAND --help tells more of one. Exit codes: 0 done, 1 fault of the program, 2 mistake in",
            "what was given, 3 some fields failed.",
        ]
    )


def _unknown(word: str) -> str:
    close = difflib.get_close_matches(word, COMMANDS, n=3)
    meant = f"Did you mean {' or '.join(close)}?" if close else "See noisylabels --help."
    return f"A command must be one of {', '.join(COMMANDS)}, got {word!r}. {meant}"


def _sentence(error: InputError | OSError) -> str:
    """Say it in our words where the operating system spoke; our own errors carry no number."""
    if not isinstance(error, OSError) or error.errno is None or error.filename is None:
        return str(error)
    return f"{error.filename} must be a path that can be used, got: {error.strerror}. Check it."


def _app_of(module: str) -> typer.Typer:
    app = importlib.import_module(module).app
    if not isinstance(app, typer.Typer):
        msg = f"{module}.app must be a Typer application, got {type(app).__name__}."
        raise TypeError(msg)
    if app.registered_callback is None:
        # With a callback, a room of one command is still a group: its command keeps its name.
        app.callback()(lambda: None)
    app.pretty_exceptions_enable = False
    return app


if __name__ == "__main__":
    main()
