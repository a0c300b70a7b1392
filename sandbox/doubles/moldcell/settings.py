# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Switches of the tenant that hold for all calls, changed by API or on the page."""

from dataclasses import dataclass, fields

from sandbox.core import BadInput


@dataclass
class Settings:
    """Times are in seconds.

    tenant_host: when set, any other Host header is answered 301 (wrong tenant).
    tenant_status: when not 0, every tenant command answers this HTTP status.
    makecall_answer: ``text`` (bare CallID), ``object``, ``empty``, or ``other`` (an id
    that the pushes will not have): all four were seen or must be survived.
    push_late: how long a push of a call with the fault "late" is held.
    clock_skew: how much the exchange's clock is ahead (negative: behind).
    outage: nobody reaches anybody: pushes are lost, commands are answered 503.
    out_answer: after how long the client answers an outgoing call; negative = never.
    """

    recording_delay: float = 20.0
    recording_late: float = 90.0
    records_expired: bool = False
    history_delay: float = 1.0
    ring_timeout: float = 45.0
    fallback_after: float = 20.0
    manager_answer: float = 1.5
    out_answer: float = -1.0
    contact_budget: float = 1.2
    push_timeout: float = 10.0
    push_slow: float = 3.0
    push_late: float = 60.0
    retry_base: float = 1.0
    clock_skew: float = 0.0
    outage: bool = False
    tenant_slow: float = 0.0
    tenant_status: int = 0
    tenant_host: str = ""
    makecall_answer: str = "text"

    def update(self, data):
        """Change the named settings, all or none.

        :raises BadInput: unknown name, wrong type or range
        """
        types = {item.name: item.type for item in fields(self)}
        new = {name: _checked(name, types.get(name), data[name]) for name in data}
        if new.get("makecall_answer", "text") not in MAKECALL_ANSWERS:
            raise BadInput(f"makecall_answer: unul din {', '.join(MAKECALL_ANSWERS)}.")
        if new.get("tenant_status", 0) not in (0, 500, 502, 503, 504):
            raise BadInput("tenant_status: 0, 500, 502, 503 sau 504.")
        for name, value in new.items():
            setattr(self, name, value)


MAKECALL_ANSWERS = ("text", "object", "empty", "other")


def _checked(name, kind, value):
    if kind is None:
        raise BadInput(f"Setare necunoscută: {name}.")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float:
        low = {"out_answer": -1, "clock_skew": -86400}.get(name, 0)
        if not number or not low <= value <= 86400:
            raise BadInput(f"{name}: secunde, între {low} și 86400.")
        return float(value)
    fits = number and isinstance(value, int) if kind is int else isinstance(value, kind)
    if not fits:
        raise BadInput(f"{name}: se așteaptă {kind.__name__}.")
    return value
