# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""HTTP face of the PBX double: control API, tenant address, recordings."""

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import asdict
from datetime import datetime, timezone

from aiohttp import web

from sandbox.core import Double, Unknown, read_json

from . import recordings
from .directory import DID, GROUPS, KEY, TOKEN, USERS
from .exchange import Exchange
from .orders import FAULTS, SCENARIOS, parse_order
from .pusher import Pusher
from .settings import Settings
from .tenant import Tenant

_API = "/api/moldcell"
_CACHED_FILES = 32
_SHOWN_CALLS = 12
_SHOWN_PUSHES = 120
_SHOWN_REQUESTS = 500
_NOT_LOGGED = ("cmd", "token")
_LINE = "/sys/crm_api.wcgp"


class MoldcellDouble(Double):
    """The tenant ``demo``: key of the connector ``demo``, one token both ways."""

    name = "moldcell"
    title = "PBX Moldcell"

    def __init__(self, world):
        super().__init__(world)
        self.settings = Settings()
        self.pusher = Pusher(self, self.settings)
        self.exchange = Exchange(self, self.pusher, self.settings)
        self.tenant = Tenant(self.exchange, self.settings)
        self._files = OrderedDict()
        self._requests = deque(maxlen=_SHOWN_REQUESTS)

    def routes(self):
        call = f"{_API}/calls/{{callid}}"
        return [
            web.post(f"{_API}/call", self._post_call),
            web.get(f"{_API}/calls", self._get_calls),
            web.post(f"{call}/answer", self._post_answer),
            web.post(f"{call}/hangup", self._post_hangup),
            web.post(f"{call}/client_hangup", self._post_client_hangup),
            web.post(f"{call}/transfer", self._post_transfer),
            web.post(f"{call}/rate", self._post_rate),
            web.get(f"{_API}/pushes", self._get_pushes),
            web.get(f"{_API}/requests", self._get_requests),
            web.get(f"{_API}/settings", self._get_settings),
            web.post(f"{_API}/settings", self._post_settings),
            web.post(f"{_API}/reset", self._post_reset),
            web.route("*", _LINE, self._tenant),
            web.get("/records/{callid}.mp3", self._record),
        ]

    def reset(self):
        super().reset()
        self.settings.update(asdict(Settings()))
        self.pusher.clear()
        self.exchange.clear()
        self._files.clear()
        self._requests.clear()
        self.world.touch()

    def state(self):
        shown = list(self.exchange.calls.values())[-_SHOWN_CALLS:]
        pushes = list(self.pusher.log)[-_SHOWN_PUSHES:]
        return {
            "tenant": {
                "endpoint": f"{self.world.config.public_url}{_LINE}",
                "key": KEY,
                "token": TOKEN,
                "did": DID,
            },
            "users": [
                {**user.account(), "dnd": user.name in self.exchange.dnd}
                for user in USERS.values()
            ],
            "groups": [
                {"key": group.key, "realName": group.real_name}
                for group in GROUPS.values()
            ],
            "faults": [{"name": name, "label": FAULTS[name]} for name in FAULTS],
            "scenarios": [
                {"name": name, "label": SCENARIOS[name][0]} for name in SCENARIOS
            ],
            "settings": asdict(self.settings),
            "calls": [self._call_view(call) for call in reversed(shown)],
            "pushes": [push.view() for push in reversed(pushes)],
            "requests": list(reversed(self._requests))[:40],
        }

    def _call_view(self, call):
        link = self.exchange.link(call)
        ready = link and recordings.ready_at(call, self.settings)
        return {
            "callid": call.callid,
            "direction": call.direction,
            "phone": call.phone,
            "did": call.did,
            "group": call.group,
            "state": call.state,
            "status": call.status,
            "user": call.user,
            "started": call.started,
            "answered": call.answered,
            "ended": call.ended,
            "wait": call.wait_seconds if call.ended else None,
            "duration": call.talk_seconds if call.ended else None,
            "legs": [asdict(leg) for leg in call.legs],
            "root": call.root,
            "second": call.second,
            "contact": call.contact,
            "link": link,
            "link_ready": ready or None,
            "faults": sorted(call.faults),
        }

    # -- control API -------------------------------------------------------------
    async def _post_call(self, request):
        allowed = ("from", "to", "did", "scenario", "faults", "auto", "key")
        order = parse_order(await read_json(request, allowed))
        first, *others = self.exchange.place(order)
        answer = {"callid": first.callid}
        if others:
            answer["also"] = [call.callid for call in others]
        return web.json_response(answer)

    async def _get_calls(self, _request):
        calls = self.exchange.calls.values()
        return web.json_response([self._call_view(call) for call in calls])

    async def _post_answer(self, request):
        data = await read_json(request, ("by",))
        call = self.exchange.answer(request.match_info["callid"], data.get("by"))
        return web.json_response(self._call_view(call))

    async def _post_hangup(self, request):
        await read_json(request, ())
        call = self.exchange.hangup(request.match_info["callid"])
        return web.json_response(self._call_view(call))

    async def _post_client_hangup(self, request):
        data = await read_json(request, ("status",))
        callid = request.match_info["callid"]
        call = self.exchange.client_hangup(callid, data.get("status"))
        return web.json_response(self._call_view(call))

    async def _post_transfer(self, request):
        data = await read_json(request, ("to",), required=("to",))
        call = self.exchange.transfer(request.match_info["callid"], data["to"])
        return web.json_response(
            {"callid": call.root, "second_callid": call.callid}
            | {"call": self._call_view(call)}
        )

    async def _post_rate(self, request):
        data = await read_json(request, ("rating",), required=("rating",))
        call = self.exchange.rate(request.match_info["callid"], data["rating"])
        return web.json_response(self._call_view(call))

    async def _get_pushes(self, _request):
        return web.json_response([push.view() for push in self.pusher.log])

    async def _get_requests(self, _request):
        return web.json_response(list(self._requests))

    async def _get_settings(self, _request):
        return web.json_response(asdict(self.settings))

    async def _post_settings(self, request):
        self.settings.update(await read_json(request, asdict(self.settings)))
        self.world.touch()
        return web.json_response(asdict(self.settings))

    async def _post_reset(self, _request):
        self.reset()
        return web.json_response({})

    # -- what a CRM sees ---------------------------------------------------------
    def _note(self, cmd, details, status):
        """Remember what Odoo asked of us; the token is left out."""
        shown = {key: val for key, val in details.items() if key not in _NOT_LOGGED}
        self._requests.append(
            {"at": time.time(), "cmd": cmd, "details": shown, "status": status}
        )
        self.world.touch()

    async def _tenant(self, request):
        params = dict(request.query)
        if request.method == "POST":
            form = await request.post()
            params |= {key: val for key, val in form.items() if isinstance(val, str)}
        answer = await self._tenant_answer(request, params)
        self._note(params.get("cmd", "?"), params, answer.status)
        return answer

    async def _tenant_answer(self, request, params):
        settings = self.settings
        if settings.tenant_slow:
            await asyncio.sleep(settings.tenant_slow)
        host = request.host.rsplit(":", 1)[0]
        if settings.tenant_host and host != settings.tenant_host:
            # How this switch says "no such tenant here".
            away = {"Location": "https://www.moldcell.md/"}
            return web.Response(status=301, headers=away)
        if settings.outage:
            return web.Response(status=503)
        if settings.tenant_status:
            return web.Response(status=settings.tenant_status)
        if request.method not in ("GET", "POST"):
            return web.Response(status=405, headers={"Allow": "GET, POST"})
        status, body = self.tenant.run(params, datetime.now(timezone.utc))
        if not isinstance(body, str):
            return web.json_response(body, status=status)
        csv = params.get("cmd") == "history"
        kind = "text/csv" if csv else "text/plain"
        return web.Response(text=body, content_type=kind, charset="utf-8")

    async def _record(self, request):
        details = {"callid": request.match_info["callid"]}
        if "Range" in request.headers:
            details["range"] = request.headers["Range"]
        try:
            answer = await self._record_answer(request)
        except Unknown:
            self._note("record", details, 404)
            raise
        self._note("record", details, answer.status)
        return answer

    async def _record_answer(self, request):
        callid = request.match_info["callid"]
        call = recordings.find(self.exchange, self.settings, callid, time.time())
        if "recording_html" in call.faults:
            return recordings.login_page()
        data = self._files.get(callid)
        if data is None:
            data = await asyncio.to_thread(
                recordings.make_mp3, callid, call.talk_seconds
            )
            self._files[callid] = data
            if len(self._files) > _CACHED_FILES:
                self._files.popitem(last=False)
        return recordings.respond(request, data)
