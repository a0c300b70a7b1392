# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.oda_base import sealing

from .oda_connector_account_recordings import MONTHS

SETTINGS = (
    "oda_recording_months",
    "oda_recording_encrypt",
    "oda_recording_archive_monthly",
    "oda_recording_archive_days",
    "oda_recording_archive_part_mb",
)


class ResCompany(models.Model):
    """How long a company keeps what it records, and in which form."""

    _inherit = "res.company"

    oda_recording_months = fields.Integer(
        string="Keep recordings, months",
        default=6,
        required=True,
        help="Older ones are removed each night, unless they are held. An exchange "
        "may say otherwise.",
    )
    oda_recording_encrypt = fields.Boolean(
        string="Encrypt recordings",
        help="On the disk they are unreadable without the server's key. What is "
        "there already is encrypted in the background.",
    )
    oda_recording_archive_monthly = fields.Boolean(
        string="Archive each month",
        default=True,
        help="On the first working day: all recordings of the month before.",
    )
    oda_recording_archive_days = fields.Integer(
        string="Keep archives, days", default=14, required=True
    )
    oda_recording_archive_part_mb = fields.Integer(
        string="Size of a part, MB", default=1024, required=True
    )

    @api.constrains(*SETTINGS)
    def _check_oda_recording_settings(self):
        for company in self:
            if not 1 <= company.oda_recording_months <= MONTHS:
                raise ValidationError(
                    self.env._("Recordings are kept 1 to %s months.", MONTHS)
                )
            if not 1 <= company.oda_recording_archive_days <= 92:
                raise ValidationError(self.env._("Archives are kept 1 to 92 days."))
            if not 10 <= company.oda_recording_archive_part_mb <= 4000:
                raise ValidationError(
                    self.env._("A part of an archive has 10 to 4000 MB.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies.filtered("oda_recording_encrypt")._oda_check_sealing_key()
        return companies

    def write(self, vals):
        mine = [name for name in SETTINGS if name in vals]
        before = {one.id: {name: one[name] for name in mine} for one in self}
        done = super().write(vals)
        for company in self if mine else ():
            now = {name: company[name] for name in mine}
            if now == before[company.id]:
                continue
            self.env["oda.event"]._log(
                "recording.settings", company, before=before[company.id], after=now
            )
            if (
                now.get("oda_recording_encrypt")
                and not (before[company.id]["oda_recording_encrypt"])
            ):
                company._oda_check_sealing_key()
                self.env["oda.recording"]._enqueue_sealing(company)
        return done

    def _oda_check_sealing_key(self):
        if not self:
            return
        try:
            sealing.seal("", "oda.recording:probe")
        except sealing.SealingKeyMissing as error:
            raise UserError(
                self.env._(
                    "The server has no key to encrypt with. Ask its operator to set "
                    "one (ODA_SECRET_KEY_FILE), then switch this on."
                )
            ) from error

    @api.model
    def action_oda_recording_settings(self):
        """Open what holds for the recordings of the current company."""
        if not self.env.user.has_group("oda_base.group_admin"):
            raise AccessError(self.env._("Only an administrator changes this."))
        view = self.env.ref("oda_telephony.res_company_view_form_recordings")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Recordings: how long and how"),
            "res_model": "res.company",
            "res_id": self.env.company.id,
            "views": [(view.id, "form")],
            "target": "current",
        }
