"""Time and resources of the study, as measured while it ran."""

import os
import platform
import sys
from collections.abc import Mapping

from evaluation.experts.costs import Cost

STAGES: Mapping[str, tuple[str, str]] = {
    "label": ("CIP", "labelling the screen"),
    "mdl": ("MDL", "training"),
    "mdl-finetuned": ("MDL fine-tuned", "training"),
}
"""Step -> method and stage; the looks at CDL add up to its training."""


def collect_costs(seconds: Mapping[str, float], *, n_fields: int) -> list[Cost]:
    """Turn the wall times of one screen's steps into costs of methods.

    Training times hold the prediction of the quarters too. Human time is not simulated: nobody waited for anybody.

    Args:
        seconds: Wall seconds by step.
        n_fields: Fields that the CIP labelled in its step.

    Returns:
        One cost per method and stage; the CIP's per field, the networks' once.

    Examples:
        >>> collect_costs({"label": 10.0, "cdl-e1": 5.0, "cdl-e2": 7.0}, n_fields=5)[1].machine_s
        12.0
    """
    costs = []
    if "label" in seconds and n_fields:
        costs.append(Cost(*STAGES["label"], scope="field", machine_s=seconds["label"] / n_fields))
    looks = [value for name, value in seconds.items() if name.startswith("cdl-e")]
    if looks:
        costs.append(Cost("CDL", "training", "once", machine_s=sum(looks)))
    for name in ("mdl", "mdl-finetuned"):
        if name in seconds:
            costs.append(Cost(*STAGES[name], scope="once", machine_s=seconds[name]))
    return costs


def tabulate_costs(costs: Mapping[str, list[Cost]]) -> list[dict[str, object]]:
    """Average the costs over screens, one row per method and stage.

    Args:
        costs: Costs by screen.
    """
    rows: dict[tuple[str, str, str], list[float]] = {}
    for listed in costs.values():
        for cost in listed:
            rows.setdefault((cost.method, cost.stage, cost.scope), []).append(cost.machine_s)
    return [
        {"method": method, "stage": stage, "scope": scope, "machine_s": sum(values) / len(values)}
        | {"least_s": min(values), "largest_s": max(values)}
        for (method, stage, scope), values in rows.items()
    ]


def describe_machine() -> dict[str, str | int | None]:
    """Return what it ran on: processor cores, accelerator, peak memory, versions."""
    from importlib import metadata

    import torch

    peak = 0  # Windows does not tell
    if sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    versions = {name: metadata.version(name) for name in ("noisylabels", "monai", "torch", "numpy")}
    return {
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpu": gpu,
        "threads": torch.get_num_threads(),
        "peak_memory_mib": round(peak / 2**20),
        "peak_gpu_memory_mib": round(torch.cuda.max_memory_allocated() / 2**20) if gpu != "none" else 0,
        "python": platform.python_version(),
        **versions,
    }
