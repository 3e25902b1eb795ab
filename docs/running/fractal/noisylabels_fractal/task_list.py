"""What `fractal-manifest create --package noisylabels-fractal` reads."""

from fractal_task_tools.task_models import ParallelTask

AUTHORS = "The authors of noisylabels"
DOCS_LINK = None
TASK_LIST = [
    ParallelTask(
        name="Label events",
        executable="label_events.py",
        meta={"cpus_per_task": 1, "mem": 4000},
        category="Segmentation",
        modality="HCS",
        tags=["noisy labels", "conventional pipeline"],
        docs_info="Label each image by a conventional pipeline; nothing is overwritten.",
    ),
]
