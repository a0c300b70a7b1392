# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Wires the doubles into one web application."""

import asyncio
import contextlib
import time
from pathlib import Path

import aiohttp
from aiohttp import web

from .core import World, errors_in_words
from .doubles import discover

STATIC = Path(__file__).parent / "static"
WORLD = web.AppKey("world", World)
DOUBLES = web.AppKey("doubles", list)


def create_app(config):
    """Build the application: the page, its state, and every double found.

    :param Config config: addresses of Odoo and of this process
    :rtype: aiohttp.web.Application
    """
    app = web.Application(middlewares=[errors_in_words], client_max_size=1 << 20)
    world = World(config)
    doubles = [factory(world) for factory in discover()]
    app[WORLD] = world
    app[DOUBLES] = doubles
    app.cleanup_ctx.append(_running)
    app.on_response_prepare.append(_headers)
    app.router.add_get("/", _page)
    app.router.add_get("/api/state", _state)
    app.router.add_post("/api/reset", _reset)
    app.router.add_static("/static", STATIC)
    for double in doubles:
        app.router.add_routes(double.routes())
    return app


async def _running(app):
    world = app[WORLD]
    # No trust_env: stand-ins talk to this machine, never through a proxy.
    world.http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=64),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "oda-sandbox"},
    )
    watch = asyncio.create_task(world.watch_odoo())
    yield
    watch.cancel()
    for double in app[DOUBLES]:
        double.cancel_tasks()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    await world.http.close()


async def _headers(request, response):
    if request.path == "/" or request.path.startswith("/static"):
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        response.headers["Cache-Control"] = "no-cache"


async def _page(_request):
    return web.FileResponse(STATIC / "index.html")


async def _state(request):
    """Everything the page draws; 204 when ``since`` is still the newest revision."""
    world = request.app[WORLD]
    world.page_seen = time.monotonic()
    if request.query.get("since") == str(world.rev):
        return web.Response(status=204)
    return web.json_response(
        {
            "rev": world.rev,
            "now": time.time(),
            "world": world.state(),
            "doubles": [
                {"name": double.name, "title": double.title, "state": double.state()}
                for double in request.app[DOUBLES]
            ],
        }
    )


async def _reset(request):
    for double in request.app[DOUBLES]:
        double.reset()
    request.app[WORLD].last_answer = None
    request.app[WORLD].touch()
    return web.json_response({})
