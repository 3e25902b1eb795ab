"""The command line of benchmarks that train networks: nothing but their own lines is printed, and one thread works."""

import argparse
import logging
import warnings

import torch


def start_commands(
    about: str | None,
) -> "tuple[argparse.ArgumentParser, argparse._SubParsersAction[argparse.ArgumentParser]]":
    """Silence what trainings print, keep them to one thread, and begin a command line.

    Args:
        about: The benchmark's docstring, shown by `--help` as it is written.

    Returns:
        The parser, and its subcommands, one of which must be given.
    """
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    return parser, parser.add_subparsers(required=True)
