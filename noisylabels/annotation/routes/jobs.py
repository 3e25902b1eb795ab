"""Routes of jobs: predict, retrain, watch, cancel."""

from dataclasses import asdict

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from noisylabels.annotation.routes.endpoints import CORRECTORS, Call, route
from noisylabels.annotation.routes.schemas import (
    BundleSchema,
    Keyed,
    PredictSchema,
    ReplaceSchema,
    UseSchema,
    number_of,
)
from noisylabels.annotation.versions import versions_of
from noisylabels.data.quarters import Window


def predict(call: Call, sent: PredictSchema) -> Response:
    """Start a prediction."""
    region = None if sent.region is None else Window(*sent.region)
    job = call.jobs.predict(
        call.person, call.path["task"], sent.bundle, parent=sent.revision, region=region, key=sent.key
    )
    return JSONResponse(asdict(job), 202)


def retrain(call: Call, sent: BundleSchema) -> Response:
    """Start a training."""
    return JSONResponse(asdict(call.jobs.retrain(call.person, sent.bundle, key=sent.key)), 202)


def learn_curve(call: Call, sent: BundleSchema) -> Response:
    """Start a learning curve."""
    return JSONResponse(asdict(call.jobs.curve(call.person, sent.bundle, key=sent.key)), 202)


def replace(call: Call, sent: ReplaceSchema) -> dict[str, object]:
    """Take or leave the weights of a training."""
    return asdict(call.jobs.replace(call.person, call.path["job"], replace=sent.replace))


def show_networks(call: Call) -> dict[str, object]:
    """List all versions of all networks."""
    return {"networks": [asdict(version) for version in versions_of(call.project)]}


def use_network(call: Call, sent: UseSchema) -> dict[str, object]:
    """Use a version of a network."""
    call.jobs.use(call.person, sent.bundle, sent.version)
    return show_networks(call)


def show_jobs(call: Call) -> dict[str, object]:
    """List jobs."""
    return {"jobs": [asdict(job) for job in call.jobs.visible(call.person)]}


def show_job(call: Call) -> dict[str, object]:
    """Return one job."""
    return asdict(call.jobs.find(call.person, call.path["job"]))


def show_log(call: Call) -> Response:
    """Send a piece of a log."""
    offset = number_of(call.request.query_params.get("offset", "0"), "offset")
    text, behind = call.jobs.log(call.person, call.path["job"], offset)
    return PlainTextResponse(text, headers={"X-Next-Offset": str(behind)})


def cancel(call: Call, sent: Keyed) -> dict[str, object]:  # noqa: ARG001 (every write has a form; this one holds its key)
    """Stop a job."""
    return asdict(call.jobs.cancel(call.person, call.path["job"]))


ROUTES: list[Route] = [
    route("/api/tasks/{task}/predict", "POST", predict, roles=CORRECTORS, schema=PredictSchema),
    route("/api/jobs", "GET", show_jobs, roles=CORRECTORS),
    route("/api/jobs/retrain", "POST", retrain, roles=("owner",), schema=BundleSchema),
    route("/api/jobs/curve", "POST", learn_curve, roles=("owner",), schema=BundleSchema),
    route("/api/jobs/{job}/replace", "POST", replace, roles=("owner",), schema=ReplaceSchema),
    route("/api/networks", "GET", show_networks, roles=("owner",)),
    route("/api/networks", "POST", use_network, roles=("owner",), schema=UseSchema),
    route("/api/jobs/{job}", "GET", show_job, roles=CORRECTORS),
    route("/api/jobs/{job}/log", "GET", show_log, roles=CORRECTORS),
    route("/api/jobs/{job}/cancel", "POST", cancel, roles=("owner",), schema=Keyed),
]
