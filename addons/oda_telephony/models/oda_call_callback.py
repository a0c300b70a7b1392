# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from odoo.addons.oda_base import phone as numbers

from .. import callbacks


class OdaCall(models.Model):
    """What a call means for what we owe its caller."""

    _inherit = "oda.call"

    callback_id = fields.Many2one(
        "oda.callback",
        string="To call back",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )

    def _concluded(self):
        result = super()._concluded()
        self.env["oda.callback"]._settle(self)
        return result

    def _move_along(self, old, main):
        """A call that becomes a part of another owes nothing by itself."""
        owed = old.callback_id
        result = super()._move_along(old, main)
        if owed:
            old.callback_id = False
            if main._callback_kind() == "missed" and not main.callback_id:
                main.callback_id = owed
            owed._settle_again()
        return result

    def _choose_partner(self, partner_id):
        result = super()._choose_partner(partner_id)
        if self.outcome:
            self.env["oda.callback"]._settle(self)
        return result

    def _callback_kind(self):
        """Return one of `callbacks.KINDS`, or None for a call that changes nothing."""
        self.ensure_one()
        if self.merged_into_id or not self.outcome:
            return None
        digits = "".join(filter(str.isdigit, self.phone or ""))
        if callbacks.is_missed(self.direction, self.outcome, self.wait, digits):
            return "missed"
        if self.direction not in ("in", "out"):
            return None
        if self.outcome == "answered":
            return "talk"
        return "attempt" if self.direction == "out" else None

    def _callback_moment(self):
        """Return when it was missed, tried or answered; naive UTC."""
        self.ensure_one()
        started = self.started_at or self.create_date
        if self.outcome == "answered":
            return max(self.answered_at or started, started)
        return started

    def _callback_line(self):
        """Return the number of ours that was dialled, if it is on the list."""
        self.ensure_one()
        lines = self.env["oda.line"]
        key = lines._key(self.did)
        if not key:
            return lines
        return lines.search(
            [("company_id", "=", self.company_id.id), ("key", "=", key)], limit=1
        )

    def _callback_words(self, reader):
        """Return the result of the task that this talk has closed."""
        self.ensure_one()
        env = self.with_context(lang=reader.lang or self.env.lang).env
        at = fields.Datetime.context_timestamp(
            self.with_context(tz=reader.tz or "Europe/Chisinau"),
            self._callback_moment(),
        )
        number = numbers.parse(self.e164 or self.phone or "").international or ""
        values = {
            "when": f"{at:%d.%m.%Y %H:%M}",
            "who": self.user_id.name or "",
            "number": number,
        }
        if self.direction == "out":
            return env._(
                "Called back: %(who)s talked on %(when)s (%(number)s).", **values
            )
        return env._(
            "They called again: %(who)s talked on %(when)s (%(number)s).", **values
        )
