# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The tenant's command address, ``/sys/crm_api.wcgp``: what a CRM may ask."""

import csv
import hmac
import io
import uuid
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from .directory import GROUPS, TOKEN, USERS, find_group, find_user

ZONE = ZoneInfo("Europe/Chisinau")
_COMPACT = "%Y%m%dT%H%M%SZ"


class BadParameters(Exception):
    """Answered as 400 ``{"error": "Invalid parameters: [x]"}``."""


class Tenant:
    """Carries out the commands; knows no HTTP beyond status, type and body."""

    def __init__(self, exchange, settings):
        self.exchange = exchange
        self.settings = settings
        self._commands = {
            "accounts": self._accounts,
            "groups": self._groups,
            "makeCall": self._make_call,
            "history": self._history,
            "subscribeOnCalls": self._subscribe,
            "subscriptionStatus": self._subscription,
            "set_dnd": self._set_dnd,
            "get_dnd": self._get_dnd,
        }

    def run(self, params, now):
        """Carry out one command.

        :param dict params: form or query fields, ``cmd`` and ``token`` among them
        :param datetime now: aware
        :return: (HTTP status, body); a str body is plain text, others are JSON
        """
        token = params.get("token", "")
        if not hmac.compare_digest(token.encode(errors="replace"), TOKEN.encode()):
            return 401, {"error": "Invalid token"}
        command = self._commands.get(params.get("cmd", ""))
        try:
            if not command:
                raise BadParameters("cmd")
            return 200, command(params, now)
        except BadParameters as error:
            return 400, {"error": f"Invalid parameters: [{error}]"}

    def _accounts(self, _params, _now):
        return [user.account() for user in USERS.values()]

    def _groups(self, params, _now):
        user = self._user(params) if params.get("user") else None
        return [
            {"id": group.id, "realName": group.real_name, "ext": group.ext}
            for group in GROUPS.values()
            if user is None or user in group.members
        ]

    def _make_call(self, params, _now):
        phone = params.get("phone", "")
        # The live tenant refuses a leading plus: digits only.
        if not phone.isascii() or not phone.isdigit() or not 3 <= len(phone) <= 15:
            raise BadParameters("phone")
        user = self._user(params)
        if params.get("clid") and not params["clid"].isdigit():
            raise BadParameters("clid")
        callid = self.exchange.make_call(user, phone).callid
        return {
            "text": callid,
            "object": {"CallID": callid},
            "empty": "",
            "other": str(uuid.uuid4()),
        }[self.settings.makecall_answer]

    def _history(self, params, now):
        start, end = self._span(params, now)
        kind = params.get("type") or "all"
        if kind not in ("all", "in", "out", "missed"):
            raise BadParameters("type")
        limit = params.get("limit") or "1000"
        if not limit.isascii() or not limit.isdigit() or not 0 < int(limit[:9]):
            raise BadParameters("limit")
        rows = [
            row
            for call in self.exchange.calls.values()
            if call.state == "ended" and start <= call.started + call.skew < end
            if kind in ("all", (row := self._row(call))[1])
        ]
        return _csv(rows[-int(limit[:9]) :])

    def _row(self, call):
        """UID, type, client, account, via, start, wait, duration, record, quality."""
        fields = call.history()
        missed = call.status == "Missed"
        started = datetime.fromtimestamp(round(call.started + call.skew), ZONE)
        return [
            call.callid,
            "missed" if missed else fields["type"],
            call.phone.removeprefix("+"),
            fields["user"].split("@", 1)[0],
            fields.get("telnum") or call.did,
            started.isoformat(),
            call.wait_seconds,
            call.talk_seconds,
            self.exchange.link(call),
            *([call.rating] if call.rating else []),
        ]

    def _span(self, params, now):
        """Return the asked time as epoch seconds (from, up to)."""
        if params.get("period"):
            return _period(params["period"], now.astimezone(ZONE))
        if not params.get("start") and not params.get("end"):
            raise BadParameters("period")
        return tuple(_instant(params, name) for name in ("start", "end"))

    def _subscribe(self, params, _now):
        user, groups = self._user(params), self._group_keys(params)
        status = params.get("status")
        if status not in ("on", "off"):
            raise BadParameters("status")
        # Without group_id the PBX flips the user in every group.
        pairs = {(key, user) for key in groups}
        if status == "on":
            self.exchange.unsubscribed -= pairs
        else:
            self.exchange.unsubscribed |= pairs
        self._touch()
        return "OK"

    def _subscription(self, params, _now):
        user, groups = self._user(params), self._group_keys(params)
        off = any((key, user) in self.exchange.unsubscribed for key in groups)
        return {"status": "off" if off else "on"}

    def _set_dnd(self, params, _now):
        user = self._user(params)
        if params.get("state") not in ("true", "false"):
            raise BadParameters("state")
        if params["state"] == "true":
            self.exchange.dnd.add(user)
        else:
            self.exchange.dnd.discard(user)
        self._touch()
        return "OK"

    def _get_dnd(self, params, _now):
        return {"state": self._user(params) in self.exchange.dnd}

    # -- parameters --------------------------------------------------------------
    def _user(self, params):
        user = find_user(params.get("user"))
        if not user:
            raise BadParameters("user")
        return user

    def _group_keys(self, params):
        if not params.get("group_id"):
            return list(GROUPS)
        key = find_group(params["group_id"])
        if not key:
            raise BadParameters("group_id")
        return [key]

    def _touch(self):
        self.exchange.double.world.touch()


def _instant(params, name):
    try:
        moment = datetime.strptime(params.get(name, ""), _COMPACT)
    except ValueError:
        raise BadParameters(name) from None
    return moment.replace(tzinfo=timezone.utc).timestamp()


def _period(name, now):
    """Return (from, up to) in epoch seconds for a period named in local days."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    day, end = timedelta(days=1), today + timedelta(days=1)
    spans = {
        "today": (today, end),
        "yesterday": (today - day, today),
        "this_week": (week, end),
        "last_week": (week - 7 * day, week),
        "this_month": (month, end),
        "last_month": (last_month, month),
    }
    if name not in spans:
        raise BadParameters("period")
    return tuple(moment.timestamp() for moment in spans[name])


def _csv(rows):
    """Return CSV text: CRLF rows, no header."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
