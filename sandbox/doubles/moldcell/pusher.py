# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Sends pushes to the CRM the way the PBX does, and remembers each one."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from .directory import HOST, KEY, TOKEN, USERS

RETRIES = 3
_LOG_SIZE = 5000
_BODY_LIMIT = 65536
#: what a push with the fault "partial" lacks
_SPARE = ("direction", "diversion", "ext", "groupRealName", "wait", "start", "group")


@dataclass
class Push:
    """One message to the CRM. state: waiting, sent, refused, failed, lost."""

    n: int
    at: float
    callid: str
    fields: dict
    encoding: str
    state: str = "waiting"
    status: int | None = None
    ms: int | None = None
    error: str = ""
    answer: str = ""
    attempts: int = 0
    contact: dict | None = field(default=None)
    key: str = KEY

    @property
    def what(self):
        """Short name: ``event INCOMING``, ``history Success``, ``contact``."""
        detail = self.fields.get("status") or self.fields.get("type") or ""
        return f"{self.fields['cmd']} {detail}".strip()

    def view(self):
        """JSON-ready form; the token stays out of it."""
        return {**self.__dict__, "what": self.what}


def arrange(pushes, faults, held):
    """Return what leaves the PBX and what is lost, in order of sending.

    :param pushes: fields of each push, in natural order
    :param frozenset faults: of the call
    :param list held: kept by the caller between steps of one call; out of order means
        that each push is overtaken by the one after it, across steps
    :return: list of (fields, lost)
    """
    result = []
    for fields in pushes:
        fields = _disguised(fields, faults)
        last = fields["cmd"] == "history"
        lost = ("lost_history" if last else "lost_events") in faults
        if lost or "out_of_order" not in faults:
            ready = [fields]
        elif held:
            ready = [fields, held.pop()]
        else:
            held.append(fields)
            ready = []
        result += [(item, lost) for item in ready]
        if last and held:
            result.append((held.pop(), False))
    if "duplicates" in faults:
        result = [item for item in result for _twice in range(2)]
    return result


def _disguised(fields, faults):
    fields = dict(fields)
    if "login_host" in faults and fields.get("user") in USERS:
        fields["user"] = f"{fields['user']}@{HOST}"
    if "partial" in faults:
        for name in _SPARE:
            fields.pop(name, None)
    if "no_callid" in faults:
        fields.pop("callid", None)
    return fields


class Pusher:
    """Sends the pushes of one call one after another, of different calls in parallel.

    A CRM that is slow or away delays pushes, never the call.
    """

    def __init__(self, double, settings):
        self.double = double
        self.settings = settings
        self.clear()

    def clear(self):
        """Forget the log and what is queued (running tasks are the double's)."""
        self.log = deque(maxlen=_LOG_SIZE)
        self._count = 0
        self._tails = {}
        self._held = {}

    def send(self, call, pushes):
        """Queue the pushes of a step of a call; returns at once."""
        held = self._held.setdefault(call.root, [])
        batch = []
        for fields, lost in arrange(pushes, call.faults, held):
            push = self._note(call, fields)
            if lost or self.settings.outage:
                push.state = "lost"
            else:
                batch.append(push)
        if not held:
            del self._held[call.root]
        if not batch:
            return
        before = self._tails.get(call.root)
        task = self.double.spawn(self._send_after(before, batch, call.faults))
        self._tails[call.root] = task
        task.add_done_callback(lambda done: self._forget(call.root, done))

    def _forget(self, root, task):
        if self._tails.get(root) is task:
            del self._tails[root]

    async def _send_after(self, before, batch, faults):
        if before:
            await asyncio.wait([before])
        if "race" in faults:
            await asyncio.gather(*(self._deliver(push, faults) for push in batch))
            return
        for push in batch:
            await self._deliver(push, faults)

    async def _deliver(self, push, faults):
        if "slow" in faults:
            await asyncio.sleep(self.settings.push_slow)
        if "late" in faults:
            await asyncio.sleep(self.settings.push_late)
        for attempt in range(RETRIES + 1):
            if attempt:
                await asyncio.sleep(self.settings.retry_base * 2 ** (attempt - 1))
            await self._post(push, faults, self.settings.push_timeout)
            if push.status == 200:
                push.state = "sent"
                break
        else:
            push.state = "failed" if push.status is None else "refused"
        self.double.world.touch()

    async def ask(self, call):
        """Ask the CRM who calls, within the budget of a ringing telephone.

        :return: ``{"ok": bool, "name": str, "responsible": str}``; empty strings when
            unknown, ok False when no usable answer came in time
        """
        fields = {
            "cmd": "contact",
            "phone": call.phone,
            "callid": call.callid,
            "diversion": call.did,
        }
        push = self._note(call, _disguised(fields, call.faults))
        await self._post(push, call.faults, self.settings.contact_budget)
        answer = None
        if push.status == 200:
            push.state = "sent"
            answer = _object(push.answer)
            if answer is None:
                push.error = "răspunsul nu este un obiect JSON"
        else:
            push.state = "failed" if push.status is None else "refused"
        push.contact = {
            "ok": answer is not None,
            "name": _text(answer, "contact_name"),
            "responsible": _text(answer, "responsible"),
        }
        self.double.world.touch()
        return push.contact

    def _note(self, call, fields):
        self._count += 1
        encoding = "json" if "json" in call.faults else "form"
        push = Push(self._count, time.time(), call.callid, fields, encoding)
        push.key = call.key
        self.log.append(push)
        self.double.world.touch()
        return push

    async def _post(self, push, faults, budget):
        world = self.double.world
        token = "wrong-token" if "wrong_token" in faults else TOKEN
        fields = {**push.fields, "crm_token": token}
        if push.encoding == "json":
            body, kind = json.dumps(fields), "application/json"
        else:
            body, kind = urlencode(fields), "application/x-www-form-urlencoded"
        push.attempts += 1
        push.status, push.error = None, ""
        began = time.monotonic()
        try:
            async with world.http.post(
                f"{world.config.odoo}/oda/in/moldcell/{push.key}",
                data=body.encode(),
                headers={"Content-Type": kind},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=budget),
            ) as answer:
                content = await answer.content.read(_BODY_LIMIT)
                push.status = answer.status
                push.answer = content.decode("utf-8", "replace")
        except asyncio.TimeoutError:
            push.error = f"fără răspuns în {budget:g} s"
        except aiohttp.ClientError as error:
            push.error = f"fără legătură ({type(error).__name__})"
        push.ms = round((time.monotonic() - began) * 1000)
        world.odoo_answered(push.what, push.status, push.ms, push.error)


def _object(text):
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _text(answer, name):
    value = (answer or {}).get(name)
    return value if isinstance(value, str) else ""
