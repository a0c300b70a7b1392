# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaEvent(models.Model):
    """The journal in words: what a person reads instead of codes."""

    _inherit = "oda.event"

    words = fields.Char(string="What happened", compute="_compute_words")
    subject = fields.Char(string="About", compute="_compute_subject")
    details_text = fields.Text(
        string="Details in words", compute="_compute_details_text"
    )

    @api.model
    def _sentences(self):
        """Return `{code: sentence}`; addons add what they log. Extend with super()."""
        return {
            "connector.key_replaced": self.env._(
                "The secret of a channel was replaced"
            ),
            "inbound.replay": self.env._("A received push was worked again"),
            "inbound.discard": self.env._("A received push was put aside"),
            "outbound.cancel": self.env._("An outgoing message was cancelled"),
        }

    @api.model
    def _detail_labels(self):
        """Return `{name of a detail: its label}`. Extend with super()."""
        return {"fields": self.env._("Fields"), "reason": self.env._("Reason")}

    @api.depends("code", "details", "res_model")
    @api.depends_context("lang")
    def _compute_words(self):
        sentences = self._sentences()
        for event in self:
            # A code without a sentence still says more than nothing.
            words = sentences.get(event.code) or event.code
            details = "; ".join(event._detail_lines())
            event.words = f"{words} ({details})" if details else words

    @api.depends("words")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for event in self:
            event.display_name = event.words

    @api.depends("res_model", "res_id")
    @api.depends_context("lang")
    def _compute_subject(self):
        for event in self:
            event.subject = event._model_label()

    @api.depends("details", "res_model")
    @api.depends_context("lang")
    def _compute_details_text(self):
        for event in self:
            event.details_text = "\n".join(event._detail_lines())

    def _model_label(self):
        if not self.res_model:
            return ""
        # sudo: the name of a kind of record, not the record
        return self.env["ir.model"].sudo()._get(self.res_model).name or self.res_model

    def _detail_lines(self):
        """Return the details as `label: value` texts; values as they were written."""
        if not isinstance(self.details, dict):
            return []
        labels = self._detail_labels()
        return [
            f"{labels.get(name, name)}: {self._detail_value(name, value)}"
            for name, value in self.details.items()
        ]

    def _detail_value(self, name, value):
        if isinstance(value, (list, tuple)):
            if name == "fields" and self.res_model in self.env:
                known = self.env[self.res_model]._fields
                value = [
                    known[one]._description_string(self.env) if one in known else one
                    for one in value
                ]
            return ", ".join(str(one) for one in value)
        return str(value)
