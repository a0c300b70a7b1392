# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

PURPOSES = [
    ("processing", "Processing of personal data"),
    ("news", "News and offers by e-mail"),
    ("calls", "Calls"),
    ("sms", "SMS and messengers"),
]
SOURCES = [
    ("in_person", "In person"),
    ("paper", "Signed paper"),
    ("phone", "Said on the phone"),
    ("website", "Website form"),
    ("email", "E-mail"),
    ("message", "Message"),
    ("unsubscribe", "Unsubscribe link"),
    ("import", "Imported list"),
]


class OdaConsent(models.Model):
    """One answer to "may we?": yes or no, for what, when, where it comes from.

    Facts: they are added, never changed; the latest of a purpose holds. Merged cards
    bring their answers along, and the latest of all holds again.
    """

    _name = "oda.consent"
    _description = "Consent"
    _order = "at desc, id desc"
    _rec_name = "purpose"

    partner_id = fields.Many2one(
        "res.partner", string="Beneficiary", required=True, ondelete="cascade"
    )
    purpose = fields.Selection(PURPOSES, required=True)
    granted = fields.Boolean("Agrees", help="Off: refuses, or took the consent back.")
    at = fields.Datetime(
        "Given on",
        required=True,
        default=fields.Datetime.now,
        help="When the person said so, not when it was typed in.",
    )
    source = fields.Selection(SOURCES, required=True, default="in_person")
    text_version = fields.Char(help="Which wording was agreed to.")
    text = fields.Text("Wording", help="What the person read or heard.")
    user_id = fields.Many2one(
        "res.users",
        string="Recorded by",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        default=lambda self: self.env.user,
    )

    _latest_idx = models.Index("(purpose, partner_id, at DESC, id DESC)")
    _partner_idx = models.Index("(partner_id, at DESC, id DESC)")

    @api.constrains("at")
    def _check_at(self):
        now = fields.Datetime.now()
        for one in self:
            if one.at > now:
                raise ValidationError(
                    self.env._("A consent cannot be given in the future.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # who recorded it is a fact, not a field to fill in
            vals_list = [dict(vals, user_id=self.env.uid) for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self._facts())

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # gone only with the card itself
        raise AccessError(self._facts())

    def _facts(self):
        return self.env._(
            "Consents are facts and stay as they were given: record a new answer "
            "instead; the latest one holds."
        )
