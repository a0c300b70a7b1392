# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Who can be rung: device states and pauses in queues into presence."""

#: device state (without signs) -> presence
_STATES = {
    "NOTINUSE": "available",
    "INUSE": "busy",
    "BUSY": "busy",
    "RINGING": "busy",
    "RINGINUSE": "busy",
    "ONHOLD": "busy",
    "UNAVAILABLE": "offline",
    "INVALID": "offline",
}
_PAUSES = ("queuememberpause", "queuememberstatus", "queuememberadded", "queuemember")


class PresenceBook:
    """What is known of each login; tells only what has changed.

    A pause in a queue is 'dnd' for whoever would else be available.
    """

    def __init__(self, habits):
        self.habits = habits
        self._device, self._paused, self._told = {}, {}, {}

    def feed(self, message):
        """Return `[(login, presence)]` that this message has changed."""
        event = message.event.lower()
        if event == "devicestatechange":
            device, state = message.get("Device", ""), message.get("State", "")
            login = self.habits.login(device)
            if login:
                sign = state.replace("_", "").upper()
                self._device[login] = _STATES.get(sign, "unknown")
        elif event in _PAUSES:
            name = message.get("Interface") or message.get("StateInterface", "")
            login = self.habits.login(name.removesuffix("/n"))
            if login:
                self._paused[login] = message.get("Paused") == "1"
        else:
            return []
        return self._changed(login) if login else []

    def _changed(self, login):
        presence = self._device.get(login, "unknown")
        if self._paused.get(login) and presence in ("available", "unknown"):
            presence = "dnd"
        if self._told.get(login) == presence:
            return []
        self._told[login] = presence
        return [(login, presence)]
