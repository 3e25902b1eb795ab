"""The server: the project, the access to it, the routes and the built pages, on one address."""

import contextlib
import mimetypes
import socket
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from noisylabels.annotation.access import AccessMiddleware
from noisylabels.annotation.cookies import invite
from noisylabels.annotation.jobs import Jobs
from noisylabels.annotation.project import Project
from noisylabels.annotation.routes import boxes, correction, jobs, people, ratings, review
from noisylabels.annotation.routes.endpoints import answer_fault
from noisylabels.annotation.routes.schemas import RefusedError
from noisylabels.annotation.users import owner_of
from noisylabels.data.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_SECRET = 16
PAGES = {"/": "index.html", "/correct": "correct.html", "/boxes": "boxes.html", "/rate": "rate.html"}
DIST = Path(__file__).parent / "web" / "dist"


@dataclass(frozen=True)
class Address:
    """Where the server listens.

    Args:
        host: An address of this machine.
        port: 1..65535; 0 for any that is free.
        secret: The owner's token that does not wear out; needed for any address but this machine's own.
        public_url: Where a proxy or a tunnel is reached, for instance "https://desk.lab.example"; None without one.

    Raises:
        InputError: If others could reach the address and there is no token of at least 16 characters, or the public
            address is none.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    secret: str | None = None
    public_url: str | None = None

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and self.secret is None:
            msg = (
                f"host must be 127.0.0.1 unless there is a token, got {self.host}. Others could reach it: give one, "
                "--token-file."
            )
            raise InputError(msg)
        if self.secret is not None and (len(self.secret) < SHORTEST_SECRET or not self.secret.isascii()):
            msg = (
                f"A token must have at least {SHORTEST_SECRET} ASCII characters, got {len(self.secret)}. "
                "Make it longer."
            )
            raise InputError(msg)
        if self.public_url is not None:
            parts = urlsplit(self.public_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                msg = (
                    "A public address must be http:// or https://, a name and perhaps a port, got "
                    f"{self.public_url}. Give the desk a name of its own: it cannot live below a path."
                )
                raise InputError(msg)

    def hosts(self) -> frozenset[str]:
        """List the names in Host headers that are answered; empty for any: this machine may have many names."""
        if self.host not in LOOPBACK:
            return frozenset()
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return frozenset(("127.0.0.1", "localhost", "[::1]", *([public] if public else [])))

    def origins(self) -> frozenset[str]:
        """List the origins of our own pages besides the one that is called: a proxy speaks HTTPS, we do not."""
        return frozenset([self.public_url.rstrip("/")] if self.public_url else [])

    def url(self, token: str) -> str:
        """Write the link that lets somebody in."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        base = self.public_url.rstrip("/") if self.public_url else f"http://{host}:{self.port}"
        return f"{base}/?token={token}"


def create_app(
    project: Project, address: Address, *, checkpoints: Mapping[str, Path] | None = None, dist: Path = DIST
) -> Starlette:
    """Put the desk together.

    Args:
        project: An open project.
        address: Where it will be reached.
        checkpoints: Trained weights by bundle name.
        dist: The built pages; read once, now.
    """

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        app.state.jobs.warm()
        yield
        app.state.jobs.stop()

    routes = [
        *correction.ROUTES,
        *review.ROUTES,
        *people.ROUTES,
        *jobs.ROUTES,
        *boxes.ROUTES,
        *ratings.ROUTES,
        *page_routes(dist),
    ]
    app = Starlette(
        routes=routes,
        lifespan=life,
        middleware=[
            Middleware(
                AccessMiddleware,
                project,
                hosts=address.hosts(),
                origins=address.origins(),
                secret=address.secret,
                port=address.port,
            )
        ],
        exception_handlers={
            **dict.fromkeys((RefusedError, InputError, sqlite3.Error), _answer),
            HTTPException: _answer_http,
        },
    )
    app.router.redirect_slashes = False  # a path is a route or unknown
    app.state.project = project
    app.state.address = address
    app.state.jobs = Jobs(project, checkpoints)
    app.state.largest_field = project.value(
        "SELECT coalesce(max((row_max - row_min) * (column_max - column_min)), 0) FROM field"
    )
    return app


def page_routes(dist: Path) -> list[Route]:
    """Make a route for every built file, read once: no request reaches the file system."""
    if not (dist / "index.html").is_file():
        return [Route(path, _not_built) for path in PAGES]
    files = {f"/{path.relative_to(dist).as_posix()}": path for path in sorted(dist.rglob("*")) if path.is_file()}
    pages = {path: files[f"/{name}"] for path, name in PAGES.items() if f"/{name}" in files}
    return [_file_route(path, file) for path, file in {**files, **pages}.items()]


def serve(project: Project, address: Address, *, checkpoints: Mapping[str, Path] | None = None) -> None:
    """Serve until interrupted; print the owner's link first.

    Args:
        project: An open project.
        address: Where to listen.
        checkpoints: Trained weights by bundle name.

    Raises:
        OSError: If the port is taken.
    """
    import typer
    import uvicorn

    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, address)
        bound = replace(address, port=listener.getsockname()[1])
        app = create_app(project, bound, checkpoints=checkpoints)
        token = address.secret or invite(project, owner_of(project))
        typer.echo(f"Open {bound.url(token)}")
        project.remember_address(bound.url("").removesuffix("/?token="))
        typer.echo("The link works once; Ctrl+C ends." if address.secret is None else "Ctrl+C ends.")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=3, proxy_headers=False
        )
        uvicorn.Server(config).run(sockets=[listener])


def _bind(listener: socket.socket, address: Address) -> None:
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        msg = f"Port {address.port} of {address.host} must be free, but {error.strerror}. Choose another: --port."
        raise InputError(msg) from error


def _file_route(path: str, file: Path) -> Route:
    content = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "max-age=31536000, immutable"} if path.startswith("/assets/") else {}

    async def send(request: Request) -> Response:  # noqa: ARG001 (a route takes its request)
        return Response(content, media_type=kind, headers=headers)

    return Route(path, send)


async def _not_built(request: Request) -> Response:  # noqa: ARG001 (a route takes its request)
    sentence = "The pages must be built once, got none. In annotation/web: npm ci && npm run build."
    return PlainTextResponse(sentence, 503)


async def _answer(request: Request, fault: Exception) -> Response:
    return answer_fault(request.app.state.project, fault)


async def _answer_http(request: Request, fault: Exception) -> Response:  # noqa: ARG001 (Starlette's signature)
    assert isinstance(fault, HTTPException)
    return JSONResponse({"error": fault.detail}, fault.status_code, headers=fault.headers)
