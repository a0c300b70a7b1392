# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import Command, api, models
from odoo.tools import plaintext2html

from ..import_values import whole
from .oda_import import FIELD_OF
from .oda_import_catalogue import OWN

#: targets that are no plain value of the contact
_ELSEWHERE = {"phone2", "is_company", "consent_source", "consent_at"}


class OdaImport(models.Model):
    """What a judged row becomes: values of a contact, and its consents."""

    _inherit = "oda.import"

    @api.model
    def _oda_vals(self, verdict):
        """Return the values of a contact for what a row says."""
        vals = {}
        for target, value in verdict.clean.items():
            if target in _ELSEWHERE or target.startswith("consent_"):
                continue
            if target.startswith(OWN):
                vals.update(self._oda_own_vals(target.removeprefix(OWN), value))
            elif target == "birth":
                vals[FIELD_OF[target]] = whole(value[:4])
            elif target == "note":
                vals[FIELD_OF[target]] = plaintext2html(value)
            elif target == "tags":
                vals[FIELD_OF[target]] = [Command.link(one) for one in value]
            elif target in FIELD_OF:
                vals[FIELD_OF[target]] = value
        if "is_company" in verdict.clean or (
            verdict.clean.get("idno") and not verdict.clean.get("company")
        ):
            vals["is_company"] = True
        return vals

    @api.model
    def _oda_own_vals(self, name, value):
        field = self.env["res.partner"]._fields.get(name)
        if field is None:
            return {}  # deleted since the file was read
        if field.type == "many2many":
            return {name: [Command.link(one) for one in value]}
        return {name: value}

    @api.model
    def _oda_missing_vals(self, partner, vals):
        """Return what of `vals` a known card has not got; links are added to others."""
        links = {
            name
            for name in vals
            if partner._fields[name].type in ("many2many", "one2many")
        }
        return {
            name: value
            for name, value in vals.items()
            if name in links or (name not in ("name", "phone") and not partner[name])
        }

    def _oda_note_consents(self, told):
        """Record the consents of rows that were created or filled in; two queries.

        :param list told: of (partner, verdict)
        """
        told = [
            (partner, verdict)
            for partner, verdict in told
            if any(target.startswith("consent_") for target in verdict.clean)
        ]
        if not told:
            return
        # sudo: a no binds whoever imports it; a yes was judged by their right
        Consent = self.env["oda.consent"].sudo()
        ids = [partner.id for partner, _verdict in told]
        known = {}
        groups = Consent._read_group(
            [("partner_id", "in", ids)], ["partner_id", "purpose"]
        )
        for partner, purpose in groups:
            known.setdefault(partner.id, set()).add(purpose)
        Consent.create(
            [
                vals
                for partner, verdict in told
                for vals in self._oda_consent_vals(
                    partner, verdict, known.get(partner.id, ())
                )
            ]
        )
