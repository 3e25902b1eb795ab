"""Processes: commands of noisylabels run apart from the server, with a log, and stopped when asked."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

LONGEST_REASON = 500


class Processes:
    """The processes of a desk, by token.

    Args:
        command: The words that stand before every command.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._cancelled: set[str] = set()

    def run(self, token: str, words: Sequence[str], log: Path) -> int:
        """Run a command to its end; one that was cancelled before is not started.

        Args:
            token: Its name here.
            words: The command.
            log: File for the command and all that it says.

        Returns:
            Its exit code, negative if a signal ended it.
        """
        if token in self._cancelled:
            return -signal.SIGTERM
        with log.open("wb") as file:
            file.write((" ".join(words) + "\n").encode())
            file.flush()
            process = subprocess.Popen(
                [*self.command, *words],
                stdin=subprocess.PIPE,  # held open: a worker ends when it closes, that is with the server
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running[token] = process
            if token in self._cancelled:  # asked to stop while it was being started
                self.cancel(token)
            try:
                return process.wait()
            finally:
                del self._running[token]
                assert process.stdin is not None
                process.stdin.close()

    def cancel(self, token: str) -> None:
        """Stop a command and all that it started, or keep it from starting."""
        self._cancelled.add(token)
        process = self._running.get(token)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)

    def was_cancelled(self, token: str) -> bool:
        """Return whether a command was asked to stop."""
        return token in self._cancelled


def reason_of(log: Path, code: int) -> str | None:
    """Return the reason why a command failed: the last line of its log; None if it did not fail."""
    if code == 0:
        return None
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    said = [line for line in lines if line.strip()]
    return said[-1][:LONGEST_REASON].removeprefix("noisylabels: ") if said else f"The process ended with code {code}."
