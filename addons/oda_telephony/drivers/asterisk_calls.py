# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""One call and its channels as the tracker keeps them, to JSON and back."""

from dataclasses import asdict, dataclass, field

from .asterisk_cdr import Row


@dataclass
class Channel:
    """One channel. `login`: a person's phone; `outside`: a client's side."""

    uid: str
    name: str
    login: str | None = None
    outside: bool = False
    exten: str = ""
    ringing: bool = False
    up: bool = False
    told: bool = False  # its ringing is told


@dataclass
class Call:
    """All channels of one Linkedid; moments are seconds since 1970.

    `direction` None: a call among ourselves so far, nothing is told of it.
    `talks`: login -> [first answer, last end or None]
    """

    id: str
    direction: str | None = None
    phone: str = ""
    did: str = ""
    group: str = ""
    caller: str = ""  # who dials out
    dialled: str = ""  # number asked for by click to dial
    status: str = ""  # of the last dialling outwards
    transferring: bool = False
    started: float = 0.0
    seen: float = 0.0
    over: float | None = None
    channels: dict = field(default_factory=dict)
    talks: dict = field(default_factory=dict)
    outsiders: list = field(default_factory=list)  # names of clients' channels
    recordings: list = field(default_factory=list)
    rows: dict = field(default_factory=dict)
    told: list = field(default_factory=list)  # keys of what was told
    history: str = ""  # key of the history told last

    def dump(self):
        """Return JSON-able data."""
        return asdict(self)

    @classmethod
    def load(cls, data):
        """Return the call of :meth:`dump`.

        :raise ValueError: of another version or no call at all
        """
        try:
            call = cls(**data)
            call.channels = {u: Channel(**one) for u, one in call.channels.items()}
            call.rows = {key: Row(**one) for key, one in call.rows.items()}
        except (TypeError, AttributeError) as error:
            raise ValueError("not a call of this version") from error
        return call
