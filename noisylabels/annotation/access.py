"""Access: who may come in, from which page, and what every answer carries."""

import html
import secrets
import sqlite3
from collections.abc import Collection
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from noisylabels.annotation.cookies import end_cookie, invited, make_cookie, person_of_cookie, spend_link
from noisylabels.annotation.project import Person, Project
from noisylabels.annotation.routes.endpoints import answer_fault
from noisylabels.annotation.routes.schemas import Keyed, RefusedError, read_body, read_body_as, require_type
from noisylabels.annotation.users import PAGES, owner_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
READING = ("GET", "HEAD")
ONE_YEAR_S = 31_536_000
LONGEST_FORM = 1024
ENTER, LOGOUT = "/enter", "/api/logout"


class AccessMiddleware:
    """Let in who has a cookie, and who writes from our own pages.

    Args:
        app: What is behind it.
        project: An open project: it knows the links and cookies.
        hosts: Names that the Host header may have, without a port; empty for any.
        origins: Origins of our own pages besides the one that was called: that of a proxy.
        secret: A token of the owner that does not wear out (`--token-file`); None for one-time links only.
        port: Makes the cookie's name: browsers share cookies among the ports of a host.
    """

    def __init__(
        self,
        app: ASGIApp,
        project: Project,
        *,
        hosts: Collection[str],
        origins: Collection[str] = (),
        secret: str | None,
        port: int,
    ) -> None:
        self.app = app
        self.project = project
        self.hosts = hosts
        self.origins = origins
        self.secret = secret
        self.cookie = f"desk_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            answer = await self._examine(Request(scope, receive))
        except (sqlite3.Error, RefusedError) as fault:
            answer = answer_fault(self.project, fault)
        await (answer or self.app)(scope, receive, send_with_headers)

    async def _examine(self, request: Request) -> Response | None:
        """Find the reason to answer here; None to let the request through, with its person in the scope."""
        if self.hosts and _host_name(request.headers) not in self.hosts:
            return JSONResponse(
                {"error": "This server must be called by its own address, got another. See its link."}, 421
            )
        if request.method not in READING and not self._from_own_page(request):
            return JSONResponse({"error": "A change must come from the desk's own pages, got another origin."}, 403)
        cookie = request.cookies.get(self.cookie, "")
        person = await run_in_threadpool(person_of_cookie, self.project, cookie) if cookie else None
        path = request.url.path
        if request.method == "GET" and path == "/" and "token" in request.query_params:
            return await run_in_threadpool(self._ask, request.query_params["token"], person)
        if request.method == "POST" and path == ENTER:
            require_type(request, "application/x-www-form-urlencoded")
            form = parse_qs((await read_body(request, LONGEST_FORM)).decode(errors="replace"))
            return await run_in_threadpool(self._enter, form.get("token", [""])[0], self._is_secure(request))
        if person is None:
            return _stranger(path)
        if request.method == "POST" and path == LOGOUT:
            await read_body_as(request, Keyed)
            await run_in_threadpool(end_cookie, self.project, cookie)
            answer = JSONResponse({"left": True})
            answer.delete_cookie(self.cookie, path="/")
            return answer
        request.scope["person"] = person
        return None

    def _from_own_page(self, request: Request) -> bool:
        origin = request.headers.get("origin", "")
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return origin == own or origin in self.origins

    def _is_secure(self, request: Request) -> bool:
        return request.headers.get("origin", "").startswith("https://")

    def _guest(self, token: str) -> Person | None:
        """Return whom a token lets in, without spending it."""
        if self.secret is not None and secrets.compare_digest(token.encode(), self.secret.encode()):
            return owner_of(self.project)
        return invited(self.project, token)

    def _ask(self, token: str, person: Person | None) -> Response:
        """Show who would enter; a browser that is in already stays who it is unless asked otherwise."""
        guest = self._guest(token)
        if person is not None and (guest is None or guest.id == person.id):
            return RedirectResponse(first_page(person), 303)
        return _stranger("/") if guest is None else HTMLResponse(_entrance(token, guest, person))

    def _enter(self, token: str, secure: bool) -> Response:
        guest = self._guest(token)
        if guest is None:
            return _stranger("/")
        is_secret = self.secret is not None and secrets.compare_digest(token.encode(), self.secret.encode())
        cookie = make_cookie(self.project, guest.id) if is_secret else spend_link(self.project, token)
        if cookie is None:
            return _stranger("/")
        response = RedirectResponse(first_page(guest), 303)
        response.set_cookie(
            self.cookie, cookie, max_age=ONE_YEAR_S, httponly=True, samesite="lax", path="/", secure=secure
        )
        return response


def first_page(person: Person) -> str:
    """Return the page a person starts on."""
    return "/" if "correct" in PAGES[person.role] else f"/{PAGES[person.role][0]}"


def _entrance(token: str, guest: Person, person: Person | None) -> str:
    """Write the page that asks before a link is spent: no script, no style, nothing a previewer would press."""
    name, stay = html.escape(guest.name), ""
    if person is not None:
        here = html.escape(person.name)
        stay = f'<p>You are {here}. <a href="{first_page(person)}">Stay {here}</a></p>'
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="robots" content="noindex">'
        f'<link rel="icon" href="data:,"><title>Enter as {name}</title>'
    )
    form = (
        f'<form method="post" action="{ENTER}"><input type="hidden" name="token" value="{html.escape(token)}">'
        f'<button id="enter">Enter as {name}</button></form>'
    )
    title = f"<h1>{html.escape(guest.role.capitalize())} {name}</h1>"
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body data-page="enter">{title}{stay}{form}</body></html>'
    )


def _stranger(path: str) -> Response:
    sentence = "A link of this project must be opened first, got none or a used one. Ask the owner for a new link."
    if path.startswith("/api/"):
        return JSONResponse({"error": sentence}, 401)
    return PlainTextResponse(sentence, 401)


def _host_name(headers: Headers) -> str:
    """Read the Host header without its port: a rebound name shows, the port of a tunnel may differ."""
    host = headers.get("host", "")
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()
