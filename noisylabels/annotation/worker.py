"""The desk's helper processes: `predict` answers requests while the server lives, `retrain` and `curve` learn once.

    python -P -m noisylabels.annotation.worker predict

reads one JSON object a line, `{"bundle", "checkpoint", "image"}` (without image: only load), and answers each with one:
`{"label_map": base64 of zlib, "rows", "columns", "loaded_s", "predicted_s"}` or `{"error": "one sentence"}`. A worker
ends when its standard input does, even in the middle of work: so it ends with the server, however that ended.
"""

import base64
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from queue import Queue
from typing import TextIO

from noisylabels.annotation.curve import learn_curve
from noisylabels.annotation.networks import Networks
from noisylabels.annotation.retraining import read_plan, retrain
from noisylabels.annotation.revisions import pack
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.learning.imports import NEEDLESS, import_monai

INPUT_ERROR = 2


def main(words: list[str]) -> int:
    """Run one of the workers.

    Args:
        words: `predict`, or `retrain PLAN.json` or `curve PLAN.json`, whose result lies beside the plan as result.json.

    Returns:
        The exit code: 2 for what the person can correct.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    lines = _lines_until_the_end()
    if words[0] == "predict":
        import_monai([*NEEDLESS, "fire", "ignite", "tensorboard"])  # which only trainings need
        answer_requests(lines, answers)
        return 0
    try:
        plan = Path(words[1])
        found = (learn_curve if words[0] == "curve" else retrain)(read_plan(plan))
    except (InputError, FileNotFoundError) as error:
        sys.stderr.write(f"noisylabels: {error}\n")
        return INPUT_ERROR
    kind = "curve" if words[0] == "curve" else "score"
    write_text(plan.with_name("result.json"), json.dumps({kind: None if found is None else asdict(found)}))
    return 0


def answer_requests(requests: Iterator[str], answers: TextIO) -> None:
    """Answer requests one after another; a network stays loaded for the next."""
    networks = Networks()
    for line in requests:
        try:
            answer = _answer(networks, json.loads(line))
        except (InputError, OSError) as error:
            answer = {"error": str(error)}
        except Exception as error:  # a fault of ours: the server must hear of it, and the worker go on
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(networks: Networks, request: dict[str, str]) -> dict[str, object]:
    begun = time.monotonic()
    networks.load(request["bundle"], request["checkpoint"])
    loaded = time.monotonic()
    if "image" not in request:
        return {"loaded_s": loaded - begun}
    label_map = networks.predict(request["bundle"], request["checkpoint"], request["image"])
    rows, columns = label_map.shape
    body = base64.b64encode(pack(label_map)).decode()
    times = {"loaded_s": loaded - begun, "predicted_s": time.monotonic() - loaded}
    return {"label_map": body, "rows": rows, "columns": columns, **times}


def _lines_until_the_end() -> Iterator[str]:
    """Read lines in a thread of its own, which ends the process with its input."""
    lines: Queue[str] = Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
