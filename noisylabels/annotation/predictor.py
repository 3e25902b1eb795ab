"""The warm predictor: one process that keeps networks loaded and answers one request after another."""

import base64
import contextlib
import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from noisylabels.annotation.revisions import unpack
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap


class StoppedError(Exception):
    """The request was cancelled, or the server ends."""


class Predictor:
    """A process that predicts, started when it is first needed and again after it died.

    Args:
        command: The words that start it; it speaks as `noisylabels.annotation.worker` says.
        log: File for what it says beside its answers.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.command = tuple(command)
        self.log = log
        self._turn = threading.Lock()
        self._watch = threading.Lock()  # who is at work, and whether it is to be killed
        self._process: subprocess.Popen[str] | None = None
        self._at_work: str | None = None
        self._stopped: set[str] = set()
        self._ended = False

    def warm(self, bundle: str, checkpoint: Path) -> None:
        """Load a network ahead of the first request, beside what the server does; a fault shows at the request."""

        def load() -> None:
            with contextlib.suppress(StoppedError, InputError, OSError):
                self._ask({"bundle": bundle, "checkpoint": str(checkpoint)}, "")

        threading.Thread(target=load, daemon=True).start()

    def predict(self, bundle: str, checkpoint: Path, image: Path, *, token: str) -> tuple[LabelMap, dict[str, float]]:
        """Predict the label map of an image file.

        Args:
            bundle: Name or folder of the bundle.
            checkpoint: Its weights.
            image: The file of a whole field.
            token: The name to cancel it by.

        Returns:
            (row, column) uint8, and the seconds that loading and predicting took.

        Raises:
            InputError: With the worker's one sentence, if it could not; or if it died.
            StoppedError: If it was cancelled.
        """
        answer = self._ask({"bundle": bundle, "checkpoint": str(checkpoint), "image": str(image)}, token)
        rows, columns = int(str(answer["rows"])), int(str(answer["columns"]))
        label_map = unpack(base64.b64decode(str(answer["label_map"])), rows, columns)
        return label_map, {name: float(str(answer[name])) for name in ("loaded_s", "predicted_s")}

    def cancel(self, token: str) -> None:
        """Stop a request; the process is killed if it is at work on it, and starts anew with the next one."""
        with self._watch:
            self._stopped.add(token)
            if self._at_work == token and self._process is not None:
                self._process.kill()

    def stop(self) -> None:
        """End the process: the server ends."""
        self._ended = True
        self._kill()
        with self._turn:  # who waited for an answer has got none, and left
            self._kill()
            _close(self._process)

    def _ask(self, request: Mapping[str, str], token: str) -> dict[str, object]:
        with self._turn:
            if self._ended or token in self._stopped:
                raise StoppedError
            process = self._running()
            with self._watch:
                if self._ended or token in self._stopped:  # asked to stop while it was being started
                    raise StoppedError
                self._at_work = token
            try:
                line = self._exchange(process, json.dumps(request))
            finally:
                with self._watch:
                    self._at_work = None
            stopped = self._ended or token in self._stopped
            if stopped or not line:
                self._kill()  # and wait for its end: the next one in turn must not speak to a process that dies
            if stopped:
                raise StoppedError
            if not line:
                msg = f"The predictor must answer, but it ended ({self._last_words(process)}). Try again."
                raise InputError(msg)
            answer: dict[str, object] = json.loads(line)
            if "error" in answer:
                raise InputError(str(answer["error"]))
            return answer

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            _close(self._process)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("w") as log:
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
        return self._process

    def _exchange(self, process: "subprocess.Popen[str]", line: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return process.stdout.readline()
        return ""

    def _last_words(self, process: "subprocess.Popen[str]") -> str:
        code = process.wait()
        said = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return said[-1][:500] if said else f"exit code {code}"

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


def _close(process: "subprocess.Popen[str] | None") -> None:
    for pipe in () if process is None else (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
