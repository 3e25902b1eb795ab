"""The `noisylabels` command: a table of commands, each room imported only when one of its own is called."""

import difflib
import importlib
import sys

import typer
from typer.exceptions import TyperException

from noisylabels import __version__
from noisylabels.data.errors import InputError

COMMANDS: dict[str, str] = {
    "start": "Look at a folder of your images: what is in it, and what comes next.",
    "demo": "The main job from nothing to a report, in a few minutes.",
    "simulate": "Simulate fields of Rosella cells with perfect truth into a dataset folder.",
    "import": "Copy images and label maps of any folder into a dataset folder.",
    "amend": "Rename the classes and channels of a dataset folder, or tell its pixel size.",
    "cip": "Label images with a conventional pipeline, as weak labels to train on.",
    "quarters": "Cut labelled fields in four, as the paper's biologists corrected them.",
    "convert": "Look at plates as microscopes write them; convert them to OME-Zarr.",
    "screen": "Run a method over plates on one machine or many; measure every well.",
    "corrupt": "Inject label errors of chosen kinds and doses into a dataset folder, logged.",
    "calibrate": "Measure a label set's errors against the truth, and make them again.",
    "fuse": "Let several label sets vote: pipelines, tools or experts become one.",
    "correct": "Correct weak labels by a few trusted fields, if that beats those alone.",
    "borders": "How far labels are swollen or shrunken, compared with the image.",
    "foresee": "How much a network can gain over its labels, without a truth.",
    "detect": "Find labels that are probably wrong; a queue for the annotators.",
    "train": "Train a bundle (cdl, mdl) on a dataset folder.",
    "predict": "Write a label map for every field of a folder with a trained bundle.",
    "export": "Write a trained network for Fiji, QuPath, ilastik, ONNX Runtime, OpenVINO.",
    "export-labels": "Write label maps for Fiji, QuPath or Cellpose, or as pictures to look at.",
    "lint-bundle": "List what a bundle's configs would call or evaluate, without running it.",
    "evaluate": "Compare label maps with a reference: counts, tables with intervals, a report.",
    "report": "Write the report of an evaluation folder anew, with ratings and costs.",
    "survey": "Report on a new screen without a truth.",
    "ratings": "Ask whether blinded experts prefer a method, how surely, and how far they agree.",
    "annotate": "Correct label maps, draw boxes and rate blindly in a browser.",
    "study": "The paper's study: CIP, CDL and MDL by all its evaluations, and against the truth.",
    "experiment": "Controlled noisy-label experiments: plan, run, collect, report.",
}
"""Command -> its line in `noisylabels --help`. Its Typer `app` lies in the file of its name in `commands/`."""

EXTRAS = {
    **dict.fromkeys(("starlette", "uvicorn"), "web"),
    **dict.fromkeys(("distributed", "dask", "bokeh"), "distributed"),
    **dict.fromkeys(("onnx", "onnxscript", "onnxruntime", "openvino", "bioimageio"), "export"),
    **dict.fromkeys(("napari", "npe2", "qtpy"), "napari"),
    "numba": "fast",
}
"""Package -> the extra that brings it: what a smaller installation may lack."""

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
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        line = f"pip install 'noisylabels[{EXTRAS[package]}]'"
        said = f"{words[0]} must have the package {package}, got an installation without it. {line}"
        typer.echo(f"noisylabels: {said}", err=True)
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
    try:
        code = find_app(words[0])(args=words, prog_name="noisylabels", standalone_mode=False)
    except TyperException as error:
        said = error.format_message().replace("Value error, ", "").rstrip(".")
        msg = f"{said}. See noisylabels {words[0]} --help."
        raise InputError(msg) from error
    return code if isinstance(code, int) else DONE


def _overview() -> str:
    width = max(map(len, COMMANDS), default=0)
    lines = [f"  {name:<{width}}  {line}" for name, line in COMMANDS.items()]
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
    """Write it in our words where the operating system spoke; our own errors carry no number."""
    if not isinstance(error, OSError) or error.errno is None or error.filename is None:
        return str(error)
    return f"{error.filename} must be a path that can be used, got: {error.strerror}. Check it."


def find_app(command: str) -> typer.Typer:
    """Load the Typer application of a command.

    Args:
        command: One of `COMMANDS`.
    """
    file = {"import": "import_"}.get(command, command.replace("-", "_"))
    app = importlib.import_module(f"noisylabels.commands.{file}").app
    if not isinstance(app, typer.Typer):
        msg = f"{file}.app must be a Typer application, got {type(app).__name__}."
        raise TypeError(msg)
    if app.registered_callback is None:
        # With a callback, a file of one command is still a group: its command keeps its name.
        app.callback()(lambda: None)
    app.pretty_exceptions_enable = False
    return app


if __name__ == "__main__":
    main()
