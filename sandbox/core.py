# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What every double shares: configuration, the world, errors in words."""

import asyncio
import logging
import time
from dataclasses import dataclass

import aiohttp
from aiohttp import web

_logger = logging.getLogger(__name__)


class BadInput(Exception):
    """Raised with a sentence for the person; answered as HTTP 400."""


class Conflict(Exception):
    """The request is well formed but not now (call over ...); HTTP 409."""


class Unknown(Exception):
    """No such call, file, ...; HTTP 404."""


@dataclass(frozen=True)
class Config:
    """Where things are: base addresses without a trailing slash."""

    odoo: str
    public_url: str


class World:
    """Shared by the doubles: HTTP client, revision of the state, view of Odoo.

    ``rev`` grows with every visible change, so the page can ask "anything new?"
    cheaply. ``last_answer`` is what Odoo answered last to any double.
    """

    def __init__(self, config):
        self.config = config
        self.rev = 1
        self.http = None
        self.up = None
        self.last_answer = None
        self.page_seen = 0.0

    def touch(self):
        """Note that something visible changed."""
        self.rev += 1

    def odoo_answered(self, what, status, ms, error=""):
        """Keep Odoo's last answer for the status line of the page.

        :param str what: which push, e.g. ``"history Success"``
        :param status: HTTP status, or None when there was no answer
        :param int ms: how long it took, milliseconds
        """
        if status is not None:
            self.up = True
        self.last_answer = {
            "at": time.time(),
            "what": what,
            "status": status,
            "ms": ms,
            "error": error,
        }
        self.touch()

    async def watch_odoo(self):
        """Ask Odoo for its health every 3 s, only while somebody has the page open."""
        while True:
            if time.monotonic() - self.page_seen < 10:
                up = await self._ping()
                if up != self.up:
                    self.up = up
                    self.touch()
            await asyncio.sleep(3)

    async def _ping(self):
        try:
            async with self.http.get(
                f"{self.config.odoo}/web/health",
                timeout=aiohttp.ClientTimeout(total=2),
                allow_redirects=False,
            ) as answer:
                return answer.status < 500
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False

    def state(self):
        """JSON-ready view of the world itself."""
        return {
            "odoo": self.config.odoo,
            "up": self.up,
            "last_answer": self.last_answer,
        }


class Double:
    """One outside service. A module of ``sandbox.doubles`` offers it as ``DOUBLE``.

    ``name`` names its API (``/api/<name>/...``) and its panel
    (``static/panels/<name>.js``); ``title`` is what the page shows.
    """

    name = ""
    title = ""

    def __init__(self, world):
        self.world = world
        self._tasks = set()

    def routes(self):
        """Return the list of ``web.RouteDef`` this double answers."""
        raise NotImplementedError

    def state(self):
        """Return a JSON-ready dict: all that its panel draws."""
        raise NotImplementedError

    def reset(self):
        """Forget everything; subclasses extend."""
        self.cancel_tasks()

    def spawn(self, coroutine):
        """Run a coroutine until it ends, the double is reset, or the process stops."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            _logger.error("%s: task failed", self.name, exc_info=task.exception())

    def cancel_tasks(self):
        """Stop whatever was spawned and still runs."""
        for task in list(self._tasks):
            task.cancel()


async def read_json(request, allowed, required=()):
    """Return the JSON object of a request body; an empty body is an empty object.

    :param allowed: names that may appear
    :param required: names that must appear
    :raises BadInput: not an object, an unknown or a missing name
    """
    if not await request.read():
        data = {}
    else:
        try:
            data = await request.json()
        except ValueError as error:
            raise BadInput("Corpul cererii nu este JSON.") from error
    if not isinstance(data, dict):
        raise BadInput("Corpul cererii trebuie să fie un obiect JSON.")
    if extra := sorted(set(data) - set(allowed)):
        raise BadInput(f"Câmp necunoscut: {', '.join(extra)}.")
    if missing := [name for name in required if not data.get(name)]:
        raise BadInput(f"Lipsește: {', '.join(missing)}.")
    return data


@web.middleware
async def errors_in_words(request, handler):
    """Turn our exceptions into JSON ``{"error": words}``."""
    try:
        return await handler(request)
    except BadInput as error:
        return web.json_response({"error": str(error)}, status=400)
    except Unknown as error:
        return web.json_response({"error": str(error)}, status=404)
    except Conflict as error:
        return web.json_response({"error": str(error)}, status=409)
