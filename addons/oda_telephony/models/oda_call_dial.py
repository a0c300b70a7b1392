# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.oda_base import phone as numbers

TEXT_MAX = 64  # characters of a number as it stands on a card
#: kinds of numbers that an exchange can be asked to call
CALLABLE = ("mobile", "fixed", "other", "short")


class OdaCall(models.Model):
    """Calling from a card: whoever may see a number may have it dialled."""

    _inherit = "oda.call"

    @api.model
    def oda_dial(self, number, model=None, res_id=None):
        """Ring the person's own phone and, once answered, the number.

        :param str number: as it stands on the card, in any form
        :param str model: of the record it stands on; the number must be there and the
            record readable. Without one: it must be the number of a person or call
            that the user may see
        :return: `{id, phone, state, words}`, see `oda.dial._for_browser`
        :raise UserError, AccessError: in words, with what to do
        """
        digits, e164 = self._dial_digits(number)
        partner, lead = self._dial_record(digits, e164, model, res_id)
        line = self._dial_line(partner.company_id or lead.company_id)
        # sudo: the row is the system's; who may dial whom was checked above
        dial = self.env["oda.dial"].sudo()._ask(line.sudo(), digits, partner, lead)
        if dial.phone != digits:
            raise UserError(
                self.env._(
                    "Your phone is already being called for %s: wait a moment.",
                    numbers.parse(f"+{dial.phone}").international,
                )
            )
        return dial._for_browser()

    @api.model
    def _dial_digits(self, number):
        if not isinstance(number, str) or not 0 < len(number.strip()) <= TEXT_MAX:
            raise UserError(self.env._("This is not a number that can be called."))
        parsed = numbers.parse(number, *self.env["oda.phone"]._regions())
        if parsed.kind not in CALLABLE or not parsed.digits:
            raise UserError(
                self.env._(
                    "%s is not a number that can be called. Correct it on the card: "
                    "for example 069 123 456 or +373 22 123 456.",
                    number.strip(),
                )
            )
        return parsed.digits, parsed.e164

    # === WHOSE NUMBER IS IT ===#

    @api.model
    def _dial_record(self, digits, e164, model, res_id):
        """Return `(partner, lead)` that the call is about; both may be empty.

        :raise AccessError: the user may not see the record, or it has no such number
        """
        if not self.env.user._is_internal():
            raise AccessError(self.env._("Only employees can call from here."))
        if not model and not res_id:
            return self._dial_anywhere(e164)
        # Both come over RPC: whatever they are, a card is a stored row.
        fits = isinstance(model, str) and type(res_id) is int and model in self.env
        records = self.env[model] if fits else self.browse()
        stored = records._auto and not records._abstract and not records._transient
        record = records.browse(res_id).exists() if fits and stored else self.browse()
        if not record:
            raise UserError(
                self.env._("The card of this number is not there any more.")
            )
        record.check_access("read")
        if not self._dial_has(record, digits, e164):
            raise AccessError(
                self.env._("This card has no such number: reload the page.")
            )
        return self._dial_people(record)

    @api.model
    def _dial_has(self, record, digits, e164):
        """True when the number stands on the record, in any field the user reads."""
        regions = self.env["oda.phone"]._regions()

        def same(text):
            found = numbers.parse(text, *regions)
            return found.e164 == e164 if e164 else found.digits == digits

        names = [
            name
            for name, field in record._fields.items()
            if field.type == "char"
            and record._has_field_access(field, "read")
            and (field.store or field.related or "phone" in name)
        ]
        if any(same(record[name]) for name in names if record[name]):
            return True
        partner = self._dial_people(record)[0]
        if not partner:
            return False
        return any(same(row.raw) for row in partner.oda_phone_ids if row.raw)

    @api.model
    def _dial_people(self, record):
        """Return the beneficiary and the consultation behind a record."""
        partner, lead = self.env["res.partner"], self.env["crm.lead"]
        if record._name == "res.partner":
            return record, lead
        if record._name == "crm.lead":
            lead = record
        elif "lead_id" in record._fields and record.lead_id._name == "crm.lead":
            lead = record.lead_id
        field = record._fields.get("partner_id")
        if field is not None and field.comodel_name == "res.partner":
            partner = record.partner_id
        # What hangs on a readable record need not be readable itself.
        partner = partner if partner.has_access("read") else partner.browse()
        return partner, lead if lead.has_access("read") else lead.browse()

    @api.model
    def _dial_anywhere(self, e164):
        """A number without a card: one of those whom the user may see."""
        lead = self.env["crm.lead"]
        if e164:
            ids = self.env["oda.phone"]._lookup(e164)
            seen = self.env["res.partner"].browse(ids)._filtered_access("read")
            if seen:
                # Of several people nobody is guessed.
                return (seen if len(seen) == 1 else seen.browse()), lead
            if self.search_count([("e164", "=", e164)], limit=1):
                return self.env["res.partner"], lead
        raise AccessError(
            self.env._(
                "This number is on no card that you may see. Open the card of the "
                "person, or add one, and call from there."
            )
        )

    # === WHOSE PHONE RINGS ===#

    @api.model
    def _dial_lines(self):
        """Return the user's own logins at exchanges that can be told to dial."""
        # sudo: one's own logins, and whether their exchange can dial
        lines = self.env["oda.pbx.user"].sudo()
        return lines.search(
            [
                ("user_id", "=", self.env.uid),
                ("account_id.active", "=", True),
                ("company_id", "in", self.env.companies.ids),
            ]
        ).filtered(lambda line: line.account_id._pbx_can("dial"))

    @api.model
    def _dial_line(self, company):
        """Return the login to ring, or say in words whom to ask.

        :param company: of the card, whose exchange is taken if there is a choice
        """
        lines = self._dial_lines()
        companies = (company, self.env.company)
        for one in companies:
            if ours := lines.filtered(lambda line, one=one: line.company_id == one):
                return ours[0]
        if lines:
            return lines[0]
        if self._dial_accounts():
            raise UserError(
                self.env._(
                    "No phone of the exchange is yours yet. Ask your administrator to "
                    "choose you beside your login: Configuration, PBX logins."
                )
            )
        raise UserError(
            self.env._(
                "Calls cannot be made from here yet: no exchange is set up for it. "
                "Ask your administrator: Configuration, Channels."
            )
        )

    @api.model
    def _dial_accounts(self):
        """Return the accounts of the user's companies that can dial."""
        # sudo: whether there is one
        accounts = self.env["oda.connector.account"].sudo()
        return accounts.search([("company_id", "in", self.env.companies.ids)]).filtered(
            lambda one: one._pbx_can("dial")
        )

    @api.model
    def _dial_ability(self):
        """Return 'yes', 'unmapped' (there is an exchange, but no phone) or 'no'."""
        if not self.env.user._is_internal():
            return "no"
        if self._dial_lines():
            return "yes"
        return "unmapped" if self._dial_accounts() else "no"
