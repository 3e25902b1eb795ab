"""Routes of the rating page. Nothing that leaves here tells which method is on which side."""

from dataclasses import asdict

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from noisylabels.annotation.ratings import HIGHEST, LOWEST, RatingDesk
from noisylabels.annotation.routes.endpoints import Call, octets, picture_of, planes_or_refusal, route
from noisylabels.annotation.routes.schemas import ScoreSchema, TrialCloseSchema


def show_study(call: Call) -> dict[str, object]:
    """List the rater's trials."""
    trials = _desk(call).trials()
    return {
        "lowest": LOWEST,
        "highest": HIGHEST,
        "n_scored": sum(trial.state == "scored" for trial in trials),
        "n_cannot_judge": sum(trial.state == "cannot_judge" for trial in trials),
        "next": _desk(call).next(),
        "trials": [{"trial": t.token, "number": t.number, "training": t.training, "state": t.state} for t in trials],
    }


def show_trial(call: Call) -> dict[str, object]:
    """Return all about one trial that a rater may know."""
    desk, token = _desk(call), call.path["trial"]
    about = asdict(desk.trial(token))
    return {"trial": about.pop("token"), **about} | picture_of(call.project, desk.field(token))


def show_media(call: Call) -> Response:
    """Send image, left and right label map in one body."""
    desk, token = _desk(call), call.path["trial"]
    planes_or_refusal(call.project, desk.field(token))
    return octets(desk.media(token))


def save_score(call: Call, sent: ScoreSchema) -> Response:
    """Save the scores of both sides."""
    following = _desk(call).score(
        call.path["trial"], sent.left, sent.right, active_ms=sent.active_ms, comment=sent.comment, key=sent.key
    )
    return JSONResponse({"next": following}, 201)


def close_trial(call: Call, sent: TrialCloseSchema) -> Response:
    """Keep that a trial cannot be judged, or is left for later."""
    following = _desk(call).close(
        call.path["trial"], sent.state, active_ms=sent.active_ms, comment=sent.comment, key=sent.key
    )
    return JSONResponse({"next": following}, 201)


def _desk(call: Call) -> RatingDesk:
    return RatingDesk(call.project, call.person)


RATER = ("rater",)
ROUTES: list[Route] = [
    route("/api/rating", "GET", show_study, roles=RATER),
    route("/api/rating/trials/{trial}", "GET", show_trial, roles=RATER),
    route("/api/rating/trials/{trial}/media", "GET", show_media, roles=RATER),
    route("/api/rating/trials/{trial}/scores", "POST", save_score, roles=RATER, schema=ScoreSchema),
    route("/api/rating/trials/{trial}/close", "POST", close_trial, roles=RATER, schema=TrialCloseSchema),
]
