"""The door: who may come in, from which page, and what every answer carries."""

import secrets
import sqlite3
from collections.abc import Collection
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from noisylabels.annotation.people import PAGES, enter, owner_of, visit, visitor
from noisylabels.annotation.project import Person, Project
from noisylabels.annotation.routes.endpoints import answer_fault

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


class Door:
    """Lets in who has a cookie, and who writes from our own pages.

    Args:
        app: What is behind the door.
        project: An open project: it knows the links and cookies.
        hosts: Values of the Host header that are answered; empty for any.
        secret: A token of the owner that does not wear out (`--token`); None for one-time links only.
        port: Makes the cookie's name: browsers share cookies among the ports of a host.
    """

    def __init__(
        self, app: ASGIApp, project: Project, *, hosts: Collection[str], secret: str | None, port: int
    ) -> None:
        self.app = app
        self.project = project
        self.hosts = hosts
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
            refusal = await self._examine(scope)
        except sqlite3.Error as fault:
            refusal = answer_fault(self.project, fault)
        await (refusal or self.app)(scope, receive, send_with_headers)

    async def _examine(self, scope: Scope) -> Response | None:
        """Find the reason to answer here; None to let the request through, with its person in the scope."""
        headers = Headers(scope=scope)
        if self.hosts and headers.get("host", "") not in self.hosts:
            return JSONResponse(
                {"error": "This server must be called by its own address, got another. See its link."}, 421
            )
        if scope["method"] not in READING and not _same_origin(scope, headers):
            return JSONResponse({"error": "A change must come from the desk's own pages, got another origin."}, 403)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["method"] == "GET" and scope["path"] == "/" and "token" in query:
            return await run_in_threadpool(self._enter, query["token"][0], scope["scheme"] == "https")
        cookie = _cookies(headers).get(self.cookie, "")
        person = await run_in_threadpool(visitor, self.project, cookie) if cookie else None
        if person is None:
            return _stranger(scope["path"])
        scope["person"] = person
        return None

    def _enter(self, token: str, secure: bool) -> Response:
        if self.secret is not None and secrets.compare_digest(token.encode(), self.secret.encode()):
            cookie: str | None = visit(self.project, owner_of(self.project).id)
        else:
            cookie = enter(self.project, token)
        person = visitor(self.project, cookie) if cookie else None
        if cookie is None or person is None:
            return _stranger("/")
        response = RedirectResponse(first_page(person), 303)
        response.set_cookie(
            self.cookie, cookie, max_age=ONE_YEAR_S, httponly=True, samesite="lax", path="/", secure=secure
        )
        return response


def first_page(person: Person) -> str:
    """Name the page a person starts on."""
    return "/" if "correct" in PAGES[person.role] else f"/{PAGES[person.role][0]}"


def _stranger(path: str) -> Response:
    sentence = "A link of this project must be opened first, got none or a used one. Ask the owner for a new link."
    if path.startswith("/api/"):
        return JSONResponse({"error": sentence}, 401)
    return PlainTextResponse(sentence, 401)


def _same_origin(scope: Scope, headers: Headers) -> bool:
    return headers.get("origin", "") == f"{scope['scheme']}://{headers.get('host', '')}"


def _cookies(headers: Headers) -> dict[str, str]:
    pairs = (part.partition("=") for part in headers.get("cookie", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
