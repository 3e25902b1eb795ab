"""Routes of jobs: predict, retrain, watch, cancel."""

from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from noisylabels.annotation.quarters import Window
from noisylabels.annotation.routes.endpoints import CORRECTORS, Call, route
from noisylabels.annotation.routes.schemas import BundleSchema, Keyed, PredictSchema, Refusal, number_of


def predict(call: Call, sent: PredictSchema) -> Response:
    """Start a prediction."""
    if sent.region is not None and len(sent.region) != 4:
        raise Refusal(
            400, "region must be [row_min, column_min, row_max, column_max], got another length. Draw it again."
        )
    region = None if sent.region is None else Window(*sent.region)
    job = call.jobs.predict(
        call.person, call.path["task"], sent.bundle, parent=sent.revision, region=region, key=sent.key
    )
    return JSONResponse(asdict(job), 202)


def retrain(call: Call, sent: BundleSchema) -> Response:
    """Start a training."""
    return JSONResponse(asdict(call.jobs.retrain(call.person, sent.bundle, key=sent.key)), 202)


def show_jobs(call: Call) -> dict[str, Any]:
    """List jobs."""
    return {"jobs": [asdict(job) for job in call.jobs.visible(call.person)]}


def show_job(call: Call) -> dict[str, Any]:
    """Tell about one job."""
    return asdict(call.jobs.find(call.person, call.path["job"]))


def show_log(call: Call) -> Response:
    """Send a piece of a log."""
    offset = number_of(call.request.query_params.get("offset", "0"), "offset")
    text, behind = call.jobs.log(call.person, call.path["job"], offset)
    return PlainTextResponse(text, headers={"X-Next-Offset": str(behind)})


def cancel(call: Call, sent: Keyed) -> dict[str, Any]:  # noqa: ARG001 (every write has a form; this one holds its key)
    """Stop a job."""
    return asdict(call.jobs.cancel(call.person, call.path["job"]))


ROUTES: list[Route] = [
    route("/api/tasks/{task}/predict", "POST", predict, roles=CORRECTORS, schema=PredictSchema),
    route("/api/jobs", "GET", show_jobs, roles=CORRECTORS),
    route("/api/jobs/retrain", "POST", retrain, roles=("owner",), schema=BundleSchema),
    route("/api/jobs/{job}", "GET", show_job, roles=CORRECTORS),
    route("/api/jobs/{job}/log", "GET", show_log, roles=CORRECTORS),
    route("/api/jobs/{job}/cancel", "POST", cancel, roles=("owner",), schema=Keyed),
]
