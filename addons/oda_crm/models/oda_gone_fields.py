# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from markupsafe import Markup

from odoo import api, models

from .. import layout


class OdaGoneFields(models.AbstractModel):
    """A card that was open when an administrator removed one of its fields.

    Its browser still sends and asks for the field, once: the rest is saved, and what
    was typed in that field is noted on the card, so that nobody loses a sentence.
    """

    _name = "oda.gone.fields"
    _description = "Fields Removed Meanwhile"

    @api.model
    def _oda_is_gone(self, name):
        return name.startswith(layout.PREFIX) and name not in self._fields

    @api.model
    def _oda_still_there(self, told):
        """Return a dict by field without the removed fields of administrators."""
        if not isinstance(told, dict) or not any(map(self._oda_is_gone, told)):
            return told
        return {name: one for name, one in told.items() if not self._oda_is_gone(name)}

    def web_save(self, vals, specification, next_id=None):
        left = self._oda_still_there(vals)
        specification = self._oda_still_there(specification)
        result = super().web_save(left, specification, next_id=next_id)
        lost = [
            str(value)[:10_000]
            for name, value in (vals.items() if left is not vals else ())
            if name not in left and value and isinstance(value, str | int | float)
        ]
        if lost:
            lines = Markup().join(Markup("<li>%s</li>") % one for one in lost)
            text = self.env._(
                "The field was removed while this was being written in it:"
            )
            for record in self or self.browse(one["id"] for one in result):
                record._message_log(body=Markup("<p>%s</p><ul>%s</ul>") % (text, lines))
        return result

    @api.readonly
    def web_read(self, specification):
        return super().web_read(self._oda_still_there(specification))

    def onchange(self, values, field_names, fields_spec):
        return super().onchange(
            self._oda_still_there(values),
            [name for name in field_names if not self._oda_is_gone(name)],
            self._oda_still_there(fields_spec),
        )

    @api.model
    @api.readonly
    def web_search_read(self, domain, specification, *args, **kwargs):
        specification = self._oda_still_there(specification)
        return super().web_search_read(domain, specification, *args, **kwargs)
