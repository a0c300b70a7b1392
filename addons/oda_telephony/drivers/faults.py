# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What an exchange may answer to a command of ours besides what we asked for."""

#: code -> what it means, for logs and the outbox; screens have their own words
FAULTS = {
    "no_address": "the account has no address to send commands to",
    "token": "the exchange does not accept the token",
    "tenant": "the exchange has moved or knows no such tenant: check the address",
    "parameters": "the exchange does not understand the command",
    "address": "there is nothing at this address of the exchange",
    "unsupported": "this exchange cannot do that",
    "trouble": "the exchange could not be reached",
    "answer": "the exchange answered something unexpected",
    "late": "too late to dial: nothing was sent",
    "never": "the exchange knows of no such call",
}


class PbxFault(Exception):
    """A command that did not do what it should.

    :ivar code: a key of :data:`FAULTS`
    :ivar detail: the exchange's own few words, fit for a log; may be ''
    :ivar state: as in `oda_base.connectors.Delivery`: 'failed', 'later' (surely not
        acted upon) or 'unknown'
    :ivar retry_after: seconds, when it named them
    """

    def __init__(self, code, detail="", state="failed", retry_after=None):
        self.code, self.detail = code, detail
        self.state, self.retry_after = state, retry_after
        super().__init__(self.words)

    @property
    def words(self):
        text = FAULTS[self.code]
        return f"{text} ({self.detail})" if self.detail else text


def fault_of(words):
    """Return the code of words made by :class:`PbxFault`, '' when they are others."""
    found = (code for code, text in FAULTS.items() if (words or "").startswith(text))
    return next(found, "")
