# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What somebody asks of the outside world: a call, with its scenario and faults."""

import re
from dataclasses import dataclass, field

from sandbox.core import BadInput

from .directory import DID, GROUPS, KEY, USERS, find_group, find_user

# name -> what the page shows; the effect of each is where its name is read.
FAULTS = {
    "losers": "Sună tot departamentul (legături pierdute)",
    "missed_pbx": "Pierdut cu user=pbx și „missed” cu literă mică",
    "out_of_order": "Push-uri în ordine greșită",
    "duplicates": "Fiecare push de două ori",
    "race": "Push-urile pornesc în același timp",
    "lost_events": "Evenimentele se pierd",
    "lost_history": "Istoricul se pierde",
    "json": "Corp JSON în loc de formular",
    "wrong_token": "Token greșit",
    "no_callid": "Push fără callid",
    "slow": "Push-uri lente",
    "late": "Push-uri întârziate cu un minut",
    "partial": "Push-uri fără o parte din câmpuri",
    "login_host": "Login cu @tenant",
    "plus": "Număr cu + în față",
    "two_parallel": "Două apeluri paralele de la același număr",
    "anonymous": "Număr ascuns",
    "internal": "Apel intern de la 701",
    "recording_late": "Înregistrarea apare târziu (404 la început)",
    "recording_html": "Pagină HTML în loc de înregistrare",
    "link_metadata": "Link spre 169.254.169.254",
    "duration_total": "Durata include și sunatul",
}
# name -> (what the page shows, defaults of the order)
SCENARIOS = {
    "answered": (
        "Apel răspuns",
        {"auto": {"answer_after": 3, "hangup_after": 12, "talk": 96}},
    ),
    "missed": ("Apel pierdut", {"to": "ana", "auto": {"client_hangup_after": 6}}),
    "department": (
        "Apel la departament",
        {
            "to": "group:callcentre",
            "auto": {"by": "maria", "answer_after": 4, "hangup_after": 12, "talk": 74},
        },
    ),
    "transfer": (
        "Transfer",
        {
            "to": "ana",
            "auto": {
                "answer_after": 3,
                "transfer_after": 6,
                "transfer_to": "ion",
                "transfer_answer_after": 3,
                "hangup_after": 10,
            },
        },
    ),
    "outgoing": (
        "Apel de ieșire",
        {"to": "ana", "auto": {"answer_after": 5, "hangup_after": 12, "talk": 58}},
    ),
    "anonymous": (
        "Anonim",
        {
            "to": "ana",
            "faults": ["anonymous"],
            "auto": {"answer_after": 3, "hangup_after": 8},
        },
    ),
}
_AUTO_TIMES = (
    "answer_after",
    "hangup_after",
    "client_hangup_after",
    "transfer_after",
    "transfer_answer_after",
    "talk",
)
_AUTO_NAMES = (*_AUTO_TIMES, "by", "transfer_to")


@dataclass(frozen=True)
class Target:
    """Who rings: one login, or all of a group. ``steered``: chosen by the CRM."""

    user: str = ""
    group: str | None = None
    steered: bool = False


@dataclass
class Order:
    """A checked request for a call. ``to`` None: ask the CRM whom to ring."""

    phone: str
    to: Target | None
    did: str = DID
    direction: str = "in"
    faults: frozenset = frozenset()
    auto: dict = field(default_factory=dict)
    key: str = KEY


def parse_target(text):
    """Return the Target for ``ana``, ``701``, ``group:callcentre``.

    :raises BadInput: nobody and no department is called so
    """
    if user := isinstance(text, str) and find_user(text):
        return Target(user=user)
    if group := isinstance(text, str) and find_group(text):
        return Target(group=group)
    known = ", ".join([*USERS, *(f"group:{key}" for key in GROUPS)])
    raise BadInput(f"Nu există „{text}”. Poate fi: {known}.")


def parse_phone(text):
    """Return the digits of a number as the PBX sends them: ``37369123456``.

    :raises BadInput: not a number of 3 to 15 digits
    """
    digits = re.sub(r"[\s().-]", "", text) if isinstance(text, str) else ""
    if not re.fullmatch(r"\+?[0-9]{3,15}", digits):
        raise BadInput(
            "Numărul trebuie să aibă 3–15 cifre, de exemplu +373 69 123 456."
        )
    return digits.removeprefix("+")


def parse_order(data):
    """Return the Order for the JSON of ``POST /api/moldcell/call``.

    :raises BadInput: with a sentence saying what is wrong
    """
    data, scenario = _with_scenario(data)
    faults = _faults(data.get("faults", []))
    auto = _auto(data.get("auto", {}))
    to = parse_target(data["to"]) if data.get("to") else None
    direction = "in"
    if scenario == "outgoing":
        direction = "out"
        if not to or not to.user:
            raise BadInput("Un apel de ieșire îl face un angajat, nu un departament.")
    elif "losers" in faults:
        to = Target(group="callcentre")
    if "internal" in faults and direction == "in":
        phone, direction = "701", "internal"
        to = to or Target(user="ion")
    elif "anonymous" in faults and direction == "in":
        phone = "anonymous"
    else:
        phone = parse_phone(data.get("from"))
        if "plus" in faults:
            phone = f"+{phone}"
    did = parse_phone(data["did"]) if data.get("did") else DID
    return Order(phone, to, did, direction, faults, auto, _key(data.get("key")))


def _key(text):
    """Which account of the CRM is told: two may share the numbers of one tenant."""
    if text in (None, ""):
        return KEY
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise BadInput("key: cheia contului, din litere și cifre.")
    return text


def _with_scenario(data):
    """Return the order filled up with the defaults of its scenario, and its name."""
    name = data.get("scenario")
    if not name:
        return data, None
    if not isinstance(name, str) or name not in SCENARIOS:
        raise BadInput(f"Scenariu necunoscut. Poate fi: {', '.join(SCENARIOS)}.")
    defaults = SCENARIOS[name][1]
    given = {key: value for key, value in data.items() if value not in (None, "")}
    merged = {**defaults, **given}
    if isinstance(merged.get("auto"), dict):
        merged["auto"] = {**defaults["auto"], **merged["auto"]}
    if isinstance(merged.get("faults"), list):
        merged["faults"] = [*defaults.get("faults", []), *merged["faults"]]
    return merged, name


def _faults(names):
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise BadInput("faults: o listă de nume.")
    if unknown := sorted(set(names) - set(FAULTS)):
        raise BadInput(
            f"Defecțiune necunoscută: {', '.join(unknown)}. "
            f"Poate fi: {', '.join(FAULTS)}."
        )
    return frozenset(names)


def _auto(auto):
    if not isinstance(auto, dict):
        raise BadInput("auto: un obiect JSON.")
    if unknown := sorted(set(auto) - set(_AUTO_NAMES)):
        raise BadInput(f"auto, câmp necunoscut: {', '.join(unknown)}.")
    for name in _AUTO_TIMES:
        value = auto.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and 0 <= value <= 14400):
            raise BadInput(f"auto.{name}: secunde, între 0 și 14400.")
    clean = {name: value for name, value in auto.items() if value is not None}
    if "by" in clean and clean["by"] not in USERS:
        raise BadInput(f"auto.by: unul din {', '.join(USERS)}.")
    if "transfer_after" in clean:
        parse_target(clean.get("transfer_to"))
    return clean
