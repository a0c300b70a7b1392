# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .oda_consent import PURPOSES

CONSENT_READERS = (
    "oda_base.group_consultant,oda_base.group_supervisor,oda_base.group_marketing,"
    "oda_base.group_admin,oda_base.group_connector,oda_base.group_auditor"
)


class ResPartner(models.Model):
    """What a beneficiary agreed to."""

    _inherit = "res.partner"

    oda_consent_ids = fields.One2many(
        "oda.consent", "partner_id", string="Consents", groups=CONSENT_READERS
    )
    oda_consent_processing = fields.Boolean(
        "Agrees to processing",
        compute="_compute_oda_consents",
        search="_search_oda_consent_processing",
        groups=CONSENT_READERS,
    )
    oda_consent_news = fields.Boolean(
        "Agrees to news",
        compute="_compute_oda_consents",
        search="_search_oda_consent_news",
        groups=CONSENT_READERS,
    )
    oda_consent_calls = fields.Boolean(
        "Agrees to calls",
        compute="_compute_oda_consents",
        search="_search_oda_consent_calls",
        groups=CONSENT_READERS,
    )
    oda_consent_sms = fields.Boolean(
        "Agrees to SMS",
        compute="_compute_oda_consents",
        search="_search_oda_consent_sms",
        groups=CONSENT_READERS,
    )

    @api.depends("oda_consent_ids")
    def _compute_oda_consents(self):
        latest = {}
        if self.ids:
            self.env["oda.consent"].flush_model()
            self.env.cr.execute(
                "SELECT DISTINCT ON (partner_id, purpose) partner_id, purpose, granted "
                "FROM oda_consent WHERE partner_id = ANY(%s) "
                "ORDER BY partner_id, purpose, at DESC, id DESC",
                (self.ids,),
            )
            latest = {row[:2]: row[2] for row in self.env.cr.fetchall()}
        for partner in self:
            for purpose, _label in PURPOSES:
                partner[f"oda_consent_{purpose}"] = latest.get(
                    (partner._origin.id, purpose), False
                )

    @api.model
    def _oda_consent_domain(self, purpose):
        """Domain of the people whose latest answer for ``purpose`` is yes.

        Whoever never answered has not agreed.
        """
        if purpose not in dict(PURPOSES):
            raise ValueError(f"unknown purpose of consent: {purpose!r}")
        self.env["oda.consent"].flush_model()
        return Domain(
            "id",
            "in",
            SQL(
                "(SELECT c.partner_id FROM (SELECT DISTINCT ON (partner_id) partner_id,"
                " granted FROM oda_consent WHERE purpose = %s"
                " ORDER BY partner_id, at DESC, id DESC) c WHERE c.granted)",
                purpose,
            ),
        )

    def _search_consent(self, purpose, operator, value):
        if operator != "in":
            return NotImplemented
        domain = self._oda_consent_domain(purpose)
        if True in value and False in value:
            return Domain.TRUE
        return domain if True in value else ~domain

    def _search_oda_consent_processing(self, operator, value):
        return self._search_consent("processing", operator, value)

    def _search_oda_consent_news(self, operator, value):
        return self._search_consent("news", operator, value)

    def _search_oda_consent_calls(self, operator, value):
        return self._search_consent("calls", operator, value)

    def _search_oda_consent_sms(self, operator, value):
        return self._search_consent("sms", operator, value)

    # -------------------------------------------------------------------- verbs
    def _oda_consents(self, purpose):
        """Return those of ``self`` who agree to ``purpose`` now; one query."""
        if purpose not in dict(PURPOSES):
            raise ValueError(f"unknown purpose of consent: {purpose!r}")
        # sudo: a yes or no that binds whoever sends, also those who may not read why
        agreed = self.sudo().filtered(f"oda_consent_{purpose}")
        return self.browse(agreed.ids)

    def _oda_give_consent(self, purpose, granted=True, source="in_person", **facts):
        """Record an answer for each of ``self``; returns the ``oda.consent`` rows.

        :param purpose: key of ``PURPOSES``; ``granted`` False takes a consent back
        :param facts: ``at`` (naive UTC, default now), ``text_version``, ``text``

        For controllers and connectors: works whatever the rights of the caller, who
        answers for its being the person's own word.
        """
        # sudo: an unsubscribe link is pressed by nobody in particular
        return (
            self.env["oda.consent"]
            .sudo()
            .create(
                [
                    {
                        "partner_id": partner.id,
                        "purpose": purpose,
                        "granted": granted,
                        "source": source,
                        "user_id": self.env.uid,
                        **facts,
                    }
                    for partner in self
                ]
            )
        )
