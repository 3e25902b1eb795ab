"""Routes of people: who is in, links for others, leaving."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from noisylabels.annotation.cookies import invite, revoke
from noisylabels.annotation.routes.endpoints import Call, route
from noisylabels.annotation.routes.schemas import PersonSchema
from noisylabels.annotation.users import add_person, check_name, people_of, person_of


def show_people(call: Call) -> dict[str, object]:
    """List the people with their cookies, unopened links and accepted fields."""
    rows = call.project.rows(
        "SELECT name, role, party, (SELECT count(*) FROM cookie WHERE person = person.id) AS n_cookies, "
        "(SELECT count(*) FROM link WHERE person = person.id AND spent IS NULL) AS n_links, "
        "(SELECT count(*) FROM accepted_now WHERE accepted_now.person = person.id) AS n_accepted "
        "FROM person ORDER BY id"
    )
    return {"people": [dict(row) for row in rows]}


def invite_person(call: Call, sent: PersonSchema) -> Response:
    """Make a link; a new name becomes an annotator."""
    known = {person.name: person for person in people_of(call.project)}
    person = known.get(check_name(sent.name)) or add_person(call.project, sent.name, "annotator")
    link = call.request.app.state.address.url(invite(call.project, person))
    return JSONResponse({"name": person.name, "role": person.role, "link": link}, 201)


def revoke_person(call: Call, sent: PersonSchema) -> dict[str, object]:
    """End the links and cookies of a person."""
    revoke(call.project, person_of(call.project, sent.name), call.person.name)
    return show_people(call)


OWNER = ("owner",)
ROUTES: list[Route] = [
    route("/api/people", "GET", show_people, roles=OWNER),
    route("/api/people/invite", "POST", invite_person, roles=OWNER, schema=PersonSchema),
    route("/api/people/revoke", "POST", revoke_person, roles=OWNER, schema=PersonSchema),
]
