# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from types import SimpleNamespace
from unittest.mock import patch

from odoo.addons.oda_base.net import BadStatus
from odoo.addons.oda_base.net.errors import ConnectionFailed, Outcome, TimedOut

from ..connector_moldcell import MoldcellConnector

HOST = "demo.pbx.moldcell.md"


class FakePbx:
    """Stands where the HTTP client would: answers commands, remembers them.

    :ivar answers: cmd -> text, an HTTP status, an exception, or a function of data
    :ivar asked: `[(cmd, data)]`; the token is left out
    """

    def __init__(self):
        self.asked = []
        self.answers = {
            "accounts": "[]",
            "groups": "[]",
            "makeCall": "pbx-call-1",
            "history": "",
            "set_dnd": "OK",
            "get_dnd": json.dumps({"state": False}),
        }

    def request(self, method, url, data=None, params=None, idempotent=None, **_more):
        fields = dict(data or params or {})
        token = fields.pop("token", None)
        cmd = fields.pop("cmd", url)
        self.asked.append((cmd, fields))
        answer = self.answers[cmd]
        if callable(answer):
            answer = answer(fields)
        if isinstance(answer, Exception):
            raise answer
        if token == "wrong":
            answer = 401
        if isinstance(answer, int):
            trouble = Outcome.RETRY if idempotent else Outcome.UNKNOWN
            outcome = trouble if answer >= 500 else Outcome.PERMANENT
            raise BadStatus(f"HTTP {answer}", answer, "", outcome)
        return SimpleNamespace(text=answer)

    def named(self, cmd):
        return [fields for name, fields in self.asked if name == cmd]

    @staticmethod
    def unreachable():
        """Certainly nothing was sent."""
        return ConnectionFailed("refused", sent=False, outcome=Outcome.RETRY)

    @staticmethod
    def silence():
        """Sent, and no answer: it may have been done."""
        return TimedOut("too slow", sent=True, outcome=Outcome.UNKNOWN)

    def patch(self, case):
        patcher = patch.object(MoldcellConnector, "_client", lambda *_args: self)
        patcher.start()
        case.addCleanup(patcher.stop)
        return self
