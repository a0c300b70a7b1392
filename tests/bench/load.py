# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The one load generator: plain sockets, one connection a request.

Odoo's own servers (threaded and prefork) close each connection after its answer, so
both sides of every comparison get what they would get without a proxy before them.
It runs in a process of its own so that it does not share an interpreter with
whoever measures.
"""

import asyncio
import multiprocessing
import random
import re
import socket
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

HOST = "127.0.0.1"


class Answer(NamedTuple):
    """One request: place in the list, HTTP status (0: no answer), when and how long.

    :ivar at: monotonic seconds (same clock in all processes of a machine)
    """

    index: int
    status: int
    at: float
    ms: float


def post(path, body, kind="application/x-www-form-urlencoded", cookie=""):
    """The bytes of one HTTP request."""
    if isinstance(body, str):
        body = body.encode()
    known = f"Cookie: {cookie}\r\n" if cookie else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\n{known}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _send(port, data):
    """Send one request and read its answer: (status, raw answer)."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, (HOST, port))
        await loop.sock_sendall(sock, data)
        answer = b""
        # As real clients do, hang up when all is there: werkzeug waits 10 ms for more
        # before it closes, and a prefork worker serves nobody meanwhile.
        while not _complete(answer):
            part = await loop.sock_recv(sock, 65536)
            if not part:
                break
            answer += part
    return (int(answer[9:12]) if _complete(answer) else 0), answer


def _complete(answer):
    head, _blank, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    return bool(length) and len(body) >= int(length[1])


async def send(port, data, timeout=30):
    """Send one request: (status, raw answer), status 0 when there was no answer."""
    try:
        return await asyncio.wait_for(_send(port, data), timeout)
    except (OSError, ValueError, asyncio.TimeoutError):
        return 0, b""


# -- shapes of load, run in the other process ----------------------------------------


async def _closed_loop(port, requests, clients, seconds):
    """K clients, each sends its next request when its last one is answered."""
    until = time.monotonic() + seconds if seconds else None
    queue = iter(enumerate(requests))
    answers = []

    async def client():
        for index, data in queue:
            if until and time.monotonic() > until:
                return
            begin = time.perf_counter()
            at = time.monotonic()
            status, _answer = await send(port, data)
            answers.append(
                Answer(index, status, at, (time.perf_counter() - begin) * 1000)
            )

    await asyncio.gather(*(client() for _number in range(clients)))
    return answers


async def _play(port, calls, clients, open_each, seconds):
    """Play calls at full speed: each client has some open and sends in turn.

    The pushes of one call go out in their order, each after the answer to the one
    before; a call once begun is played to its end.
    """
    until = time.monotonic() + seconds
    queue = iter(enumerate(calls))
    played, answers = [], []

    def begin():
        if time.monotonic() > until:
            return None
        number, pushes = next(queue, (None, None))
        if number is None:
            return None
        played.append(number)
        return number, iter(pushes)

    async def client():
        opened = [call for _n in range(open_each) if (call := begin())]
        while opened:
            for place, (number, pushes) in enumerate(opened):
                data = next(pushes, None)
                if data is None:
                    opened[place] = begin()
                    continue
                at = time.monotonic()
                status, _answer = await send(port, data)
                answers.append(
                    Answer(number, status, at, (time.monotonic() - at) * 1000)
                )
            opened = [call for call in opened if call]

    await asyncio.gather(*(client() for _number in range(clients)))
    return played, answers


async def _in_turn(screens, count):
    """Open screens in turn: each is a port and the requests it sends, one by one."""
    times = [[] for _screen in screens]
    for _time in range(count):
        for found, (port, requests) in zip(times, screens, strict=True):
            begin = time.perf_counter()
            for data in requests:
                status, answer = await send(port, data)
                if status != 200 or b'"error": {"code"' in answer[:3000]:
                    raise ValueError(answer[:2000])
            found.append((time.perf_counter() - begin) * 1000)
    return times


def _run_in_turn(*arguments):
    return asyncio.run(_in_turn(*arguments))


def _run_closed_loop(*arguments):
    return asyncio.run(_closed_loop(*arguments))


def _run_play(*arguments):
    return asyncio.run(_play(*arguments))


class Generator:
    """Handle on the process that makes the load."""

    def __init__(self, pool):
        self._pool = pool

    def closed_loop(self, port, requests, clients=1, seconds=None):
        """Send ``requests`` (bytes) by ``clients``; a list of Answer."""
        return self._pool.submit(
            _run_closed_loop, port, list(requests), clients, seconds
        ).result()

    def in_turn(self, screens, count):
        """Open ``screens`` (port, requests) in turn; a list of ms for each."""
        return self._pool.submit(_run_in_turn, list(screens), count).result()

    def play(self, port, calls, clients, open_each, seconds):
        """Play ``calls`` (lists of bytes): (numbers of the calls begun, answers)."""
        return self._pool.submit(
            _run_play, port, calls, clients, open_each, seconds
        ).result()


@contextmanager
def generator():
    """A Generator for a while."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(time.monotonic).result()
        yield Generator(pool)


# -- an exchange that does not give up -----------------------------------------------


class Persistent:
    """Pushes calls at a pace and repeats each push until it is answered 200.

    Runs in the caller's thread: ``asyncio.run(persistent.run(...))``.

    :ivar dict accepted: {call number: pushes answered 200}
    :ivar int repeated: pushes that had to be sent again
    """

    LINES = 40  # calls an exchange of this size carries at once

    def __init__(self, port, pause=0.25, seed=7):
        self.port = port
        self.pause = pause
        self.accepted = {}
        self.repeated = 0
        self.refused = {}
        self._random = random.Random(seed)

    async def _push(self, data):
        while True:
            status, _answer = await send(self.port, data, timeout=10)
            if status == 200:
                return
            self.repeated += 1
            self.refused[status] = self.refused.get(status, 0) + 1
            await asyncio.sleep(self.pause)

    async def _call(self, number, pushes):
        for data in pushes:
            await self._push(data)
            self.accepted[number] = self.accepted.get(number, 0) + 1
            await asyncio.sleep(self._random.uniform(0.05, 0.6))

    async def run(self, calls, rate, stop):
        """Begin calls so that about ``rate`` pushes a second go out, until ``stop()``.

        Returns the number of calls begun; all of them were played to their end.
        """
        tasks, lines = [], asyncio.Semaphore(self.LINES)
        begin, sent = time.monotonic(), 0
        for number, pushes in enumerate(calls):
            if stop():
                break
            # A server that falls behind is not buried: the exchange is busy then.
            await lines.acquire()
            call = asyncio.create_task(self._call(number, pushes))
            call.add_done_callback(lambda _call: lines.release())
            tasks.append(call)
            sent += len(pushes)
            await asyncio.sleep(max(0, begin + sent / rate - time.monotonic()))
        await asyncio.gather(*tasks)
        return len(tasks)
