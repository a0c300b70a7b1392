# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Commands to PBX Moldcell: requests as values, answers as values.

No network and no database: whoever calls sends the :class:`Request` and hands the
answer back. Two modes of one exchange: `crm_api` (`/sys/crm_api.wcgp`, the one that
every tenant has) and `v1` (`/crmapi/v1`, where the operator has switched it on).
"""

import contextlib
import json
import re
from dataclasses import dataclass, field
from datetime import timezone
from urllib.parse import quote, urlsplit, urlunsplit

from . import moldcell_history as history
from .faults import PbxFault
from .moldcell_values import call_id_of, login_of
from .wire import clean

MODES = ("crm_api", "v1")
PATHS = {"crm_api": "/sys/crm_api.wcgp", "v1": "/crmapi/v1"}
PAGE = 1000  # calls asked for at once
MAX_PEOPLE = 1000  # logins or groups taken from one answer

_CALLID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{3,15}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Request:
    """One HTTP request. `harmless`: it may be sent twice."""

    method: str
    url: str
    params: dict = field(default_factory=dict)
    data: dict | None = None
    json: dict | None = None
    headers: dict = field(default_factory=dict, repr=False)
    harmless: bool = True


@dataclass(frozen=True)
class Login:
    """A login at the exchange, as it knows it."""

    login: str
    name: str = ""
    ext: str = ""
    telnum: str = ""
    email: str = ""


@dataclass(frozen=True)
class Group:
    """A department at the exchange; `id` as pushes name it."""

    id: str
    name: str = ""
    ext: str = ""


def api_of(mode, address, token):
    """Return the :class:`LegacyApi` or :class:`RestApi` of an account.

    :raise PbxFault: 'no_address' when one of the three is missing or nonsense
    """
    base = base_url(mode, address)
    if not base or not (token or "").strip():
        raise PbxFault("no_address")
    return (LegacyApi if mode == "crm_api" else RestApi)(base, token.strip())


def base_url(mode, address):
    """Return the full address of a tenant's commands, '' when it makes no sense.

    :param address: `tenant.pbx.moldcell.md` or a whole URL; a path given stays
    """
    address = (address or "").strip()
    if mode not in MODES or not address:
        return ""
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        if parts.port == 0:
            return ""
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(parts.netloc):
        return ""
    path = parts.path.rstrip("/") or PATHS[mode]
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def stamp(moment):
    """`YYYYmmddTHHMMSSZ` of an aware moment."""
    return moment.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


class LegacyApi:
    """`/sys/crm_api.wcgp`: one address, a form with `cmd` and `token`."""

    def __init__(self, base, token):
        self.base, self._token = base, token

    def _ask(self, cmd, harmless=True, **values):
        data = {"cmd": cmd, "token": self._token}
        data |= {name: value for name, value in values.items() if value}
        return Request("POST", self.base, data=data, harmless=harmless)

    def accounts(self):
        return self._ask("accounts")

    def groups(self, user=None):
        return self._ask("groups", user=user)

    def dial(self, phone, user, clid=None):
        """Ring `user`, then `phone`: bare digits, the exchange refuses a '+'."""
        return self._ask("makeCall", False, phone=digits(phone), user=user, clid=clid)

    def history(self, since, until, limit=PAGE):
        span = {"start": stamp(since), "end": stamp(until)}
        return self._ask("history", type="all", limit=str(limit), **span)

    def set_dnd(self, user, on):
        return self._ask("set_dnd", user=user, state="true" if on else "false")

    def get_dnd(self, user):
        return self._ask("get_dnd", user=user)

    def subscribe(self, user, group, on):
        """Let a group's calls ring at `user`, or not."""
        if not group:
            # Without it the exchange flips the person in every group, also in the
            # group of one that is their own line.
            raise PbxFault("parameters", "no group")
        status = "on" if on else "off"
        return self._ask("subscribeOnCalls", user=user, group_id=group, status=status)

    def subscription(self, user, group):
        # The printed manual spells it subscribtionstatus, which is refused.
        return self._ask("subscriptionStatus", user=user, group_id=group)

    def read_history(self, text, now=None):
        """Return `(events, rows)` of a history answer.

        :raise ValueError: an error page or an object instead of rows
        """
        start = text.lstrip("\ufeff \r\n")[:1]
        if start in ("<", "{", "["):
            raise ValueError("not rows of history")
        return history.history_csv(text, now), history.rows_of_csv(text)


class RestApi:
    """`/crmapi/v1`: a resource an address, the key in a header."""

    def __init__(self, base, token):
        self.base, self._token = base, token

    def _ask(self, method, path, harmless=True, params=None, body=None):
        return Request(
            method,
            f"{self.base}{path}",
            params=params or {},
            json=body,
            headers={"X-API-KEY": self._token},
            harmless=harmless,
        )

    def accounts(self):
        return self._ask("GET", "/users")

    def groups(self, user=None):
        path = f"/users/{quote(user, safe='')}/groups" if user else "/groups"
        return self._ask("GET", path)

    def dial(self, phone, user, clid=None):
        body = {"phone": digits(phone), "user": user}
        if clid:
            body["clid"] = clid
        return self._ask("POST", "/makecall", False, body=body)

    def history(self, since, until, limit=PAGE):
        params = {"start": stamp(since), "end": stamp(until)}
        params |= {"type": "all", "limit": str(limit)}
        return self._ask("GET", "/history/json", params=params)

    def _cannot(self, *_args):
        raise PbxFault("unsupported")

    set_dnd = get_dnd = subscribe = subscription = _cannot

    def read_history(self, text, now=None):
        return history.history_json(text, now), len(history.json_rows(text))


# -- answers -------------------------------------------------------------------------


def digits(phone):
    """Return a number as the exchange takes it, or refuse it.

    :raise PbxFault: 'parameters'; nothing but 3 to 15 digits is dialled
    """
    number = (phone or "").removeprefix("+")
    if not _DIGITS.fullmatch(number):
        raise PbxFault("parameters", "phone")
    return number


def read_dial(text):
    """Return the id of the call from an answer to `dial`, '' when it names none.

    Met: the bare id, a quoted one, an object, an empty body.
    """
    text = (text or "").strip()
    value = text
    if text[:1] in ('"', "{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return ""
    if isinstance(value, dict):
        named = {
            re.sub(r"[^a-z]", "", name.lower()): one for name, one in value.items()
        }
        value = next((named[k] for k in ("callid", "uuid", "uid") if k in named), "")
    if not isinstance(value, str) or not _CALLID.fullmatch(value):
        return ""
    return call_id_of(value)


def read_accounts(text):
    """Return the :class:`Login` list of an `accounts` or `/users` answer.

    :raise ValueError: it is no list
    """
    people = {}
    for row in _objects(text):
        name = login_of(row.get("name") or row.get("login"))
        if not name or name.startswith("g_"):
            continue
        real = row.get("realName") or (row.get("name") if row.get("login") else "")
        if row.get("login"):
            name = login_of(row["login"])
        people[name] = Login(
            login=name,
            name=(real or "")[:120],
            ext=row.get("ext", "")[:16],
            telnum=row.get("telnum", "")[:32],
            email=row.get("email", "")[:120].lower(),
        )
    return list(people.values())


def read_groups(text):
    """Return the :class:`Group` list of a `groups` answer. ValueError: no list."""
    groups = {}
    for row in _objects(text):
        key = login_of(row.get("id") or row.get("login"))
        if key:
            name = row.get("realName") or row.get("name") or ""
            groups[key] = Group(key, name[:120], row.get("ext", "")[:16])
    return list(groups.values())


def read_switch(text):
    """Return True or False of an answer `{"state": …}` or `{"status": …}`.

    None when it says neither.
    """
    value = (text or "").strip()
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(value)
    if isinstance(value, dict):
        value = value.get("state", value.get("status"))
    word = str(value).strip().lower()
    return {"true": True, "on": True, "1": True, "false": False, "off": False}.get(
        word, False if word == "0" else None
    )


def _objects(text):
    rows = history.json_rows(text)
    return [
        {
            name: clean(str(value), [])
            for name, value in row.items()
            if isinstance(value, (str, int)) and not isinstance(value, bool)
        }
        for row in rows[:MAX_PEOPLE]
        if isinstance(row, dict)
    ]


def fault_of_status(status, excerpt=""):
    """Return the :class:`PbxFault` code of an HTTP status, and its detail.

    :return: (code, detail)
    """
    named = re.search(r"Invalid parameters:\s*\[([\w ,-]{0,60})\]", excerpt or "")
    if status in (301, 302, 307, 308):
        return "tenant", ""
    if status in (401, 403):
        return "token", ""
    if status == 404:
        return "address", ""
    if status == 400:
        if "token" in (excerpt or "").lower() and not named:
            return "token", ""
        return "parameters", named[1] if named else ""
    if status == 429 or status >= 500:
        return "trouble", str(status)
    return "answer", str(status)
