# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time
import uuid
from datetime import timedelta

from odoo import api, fields, models

from ..drivers.faults import fault_of

#: A click that has not left by then is given up: nobody waits for it any more.
ASK_SECONDS = 45
#: How long a dial may go before its call comes back in a push.
ADOPT_WITHIN = timedelta(minutes=5)
#: The call's own beginning may lie this much before the dial: clocks differ.
SKEW = timedelta(minutes=1)
#: While it lasts, another click of the same person is the same dial.
PENDING = timedelta(seconds=ASK_SECONDS)
RETENTION_DAYS = 90


class OdaDial(models.Model):
    """One click on a phone number: who asked for which call, from which card.

    The command goes by the outbox; the call itself comes back as pushes of the
    exchange and is adopted, so that it hangs on the card it was dialled from.
    """

    _name = "oda.dial"
    _description = "Dialled Number"
    _log_access = False
    _order = "id desc"
    _rec_name = "phone"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, ondelete="cascade", index=True
    )
    login = fields.Char(required=True, readonly=True)
    phone = fields.Char(string="Number", required=True, readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Beneficiary",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    lead_id = fields.Many2one(
        "crm.lead",
        string="Consultation",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    state = fields.Selection(
        [
            ("asked", "Being asked"),
            ("sent", "The phone rings"),
            ("unsure", "Not sure it rang"),
            ("linked", "Called"),
            ("failed", "Not dialled"),
        ],
        required=True,
        readonly=True,
        default="asked",
    )
    words = fields.Char(string="What became of it", readonly=True)
    callid = fields.Char(string="Call id", readonly=True)
    call_id = fields.Many2one(
        "oda.call", readonly=True, ondelete="set null", index="btree_not_null"
    )
    created_at = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )

    _open_idx = models.Index("(account_id, login, id DESC) WHERE call_id IS NULL")
    _callid_idx = models.Index(
        "(account_id, callid) WHERE callid IS NOT NULL AND call_id IS NULL"
    )

    # === ASKING ===#

    @api.model
    def _ask(self, line, phone, partner, lead):
        """Have the exchange ring `line` (an `oda.pbx.user`), then `phone`.

        :param str phone: bare digits
        :return: the row; that of a moment ago when it is the same click again
        """
        now = fields.Datetime.now()
        # Two tabs at once: the second is repeated, and then sees the first one's row.
        self.env.cr.execute(
            "UPDATE oda_pbx_user SET dialled_at = %s WHERE id = %s",
            (now, line.id),
            log_exceptions=False,
        )
        line.invalidate_recordset(["dialled_at"], flush=False)
        last = self.search(
            [
                ("account_id", "=", line.account_id.id),
                ("login", "=", line.login),
                ("call_id", "=", False),
                ("state", "in", ("asked", "sent", "unsure")),
                ("created_at", ">", now - PENDING),
            ],
            limit=1,
        )
        if last:
            return last
        dial = self.create(
            {
                "account_id": line.account_id.id,
                "company_id": line.account_id.company_id.id,
                "user_id": line.user_id.id,
                "login": line.login,
                "phone": phone,
                "partner_id": partner.id,
                "lead_id": lead.id,
                "created_at": now,
            }
        )
        key = str(uuid.uuid4())
        payload = {
            "phone": phone,
            "login": line.login,
            "uuid": key,
            "at": int(time.time()),
            "before": int(time.time()) + ASK_SECONDS,
        }
        self.env["oda.outbound"]._enqueue(line.account_id, "dial", payload, dial, key)
        return dial

    def _oda_sent(self, row):
        """The outbox tells what became of the command."""
        self.ensure_one()
        if self.call_id:
            return  # its call is there: that says more than any answer
        if row.state == "done":
            self.write({"state": "sent", "callid": row.reference or False})
            self._tell()
        elif row.state == "failed":
            self.write({"state": "failed", "words": row.words})
            self._tell()
        elif row.state == "unknown" and self.state != "unsure":
            self.write({"state": "unsure", "words": row.words})
            self._tell()

    def _tell(self):
        for dial in self:
            dial.user_id._bus_send("oda_telephony.dial", dial._for_browser())

    def _for_browser(self):
        """Return `{id, phone, state, words}`; words in the person's language."""
        self.ensure_one()
        dial = self.with_context(lang=self.user_id.lang)
        words = ""
        if dial.state == "failed":
            words = dial.account_id._pbx_words(fault_of(dial.words) or "answer")
        elif dial.state == "unsure":
            words = dial.env._(
                "It is not sure that the exchange has dialled. If your phone does not "
                "ring, dial on the phone itself."
            )
        return {
            "id": dial.id,
            "phone": dial.phone,
            "state": dial.state,
            "words": words,
        }

    # === THE CALL COMES BACK ===#

    @api.model
    def _adopt(self, works):
        """Hang outgoing calls on the cards they were dialled from.

        :param works: `Work` list of one account, their calls just written
        """
        # Sought once, when the call is new: the click is always older than its call.
        works = [
            work
            for work in works
            if work.state.direction == "out" and work.call.version <= 2
        ]
        if not works:
            return
        calls = self.env["oda.call"].union(*(work.call for work in works))
        begun = [call.started_at for call in calls if call.started_at]
        dials = self.search(
            [
                ("account_id", "=", calls.account_id.id),
                ("call_id", "=", False),
                "|",
                ("callid", "in", calls.mapped("callid")),
                "&",
                ("login", "in", [one for work in works for one in work.state.legs]),
                (
                    "created_at",
                    ">=",
                    min(begun, default=fields.Datetime.now()) - ADOPT_WITHIN,
                ),
            ]
        )
        for work in works if dials else ():
            if dial := dials._of_call(work):
                dials -= dial
                dial._link(work.call)

    def _of_call(self, work):
        """Return which of these dials has become a call: by its id, else by whom."""
        call = work.call
        exact = self.filtered(lambda dial: dial.callid == call.callid)
        if exact or not call.started_at:
            return exact[:1]
        phones = {call.phone, (call.e164 or "").removeprefix("+")}
        near = self.filtered(
            lambda dial: (
                dial.login in work.state.legs
                and dial.phone in phones
                and call.started_at - ADOPT_WITHIN
                <= dial.created_at
                <= call.started_at + SKEW
            )
        )
        # The oldest first: two clicks in a row come back in their order.
        return near.sorted("id")[:1]

    def _link(self, call):
        self.ensure_one()
        self.write({"call_id": call.id, "state": "linked", "words": False})
        if not call.partner_id and not call.lead_id:
            lead = self.lead_id
            if not lead and self.partner_id:
                lead = self.env["crm.lead"]._oda_find_open(self.partner_id)
            call.write({"partner_id": self.partner_id.id, "lead_id": lead.id})
        self._settle_message(call)
        self._tell()

    def _settle_message(self, call):
        """A command of unknown fate was carried out: here is its call."""
        # sudo: the outbox is closed to this user but for its own verbs
        self.env["oda.outbound"].sudo().search(
            [
                ("res_model", "=", self._name),
                ("res_id", "=", self.id),
                ("state", "in", ("unknown", "sending")),
            ]
        ).filtered(lambda row: row.state == "unknown").write(
            {
                "state": "done",
                "reference": call.callid,
                "words": False,
                "next_try_at": False,
                "finished_at": fields.Datetime.now(),
            }
        )

    @api.autovacuum
    def _gc_dials(self):
        limit = fields.Datetime.now() - timedelta(days=RETENTION_DAYS)
        self.search([("created_at", "<", limit)], limit=10_000).unlink()
