# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models
from odoo.exceptions import UserError


class OdaCall(models.Model):
    """What is advised on during a call, ticked in its card."""

    _inherit = "oda.call"

    def get_instruments(self):
        """Return {groups, answers, chips} of the person's own talk in this call.

        Groups as `oda.instrument.get_catalogue`, the others as the session's fields.
        """
        leg = self._my_leg()
        session = leg.session_id
        return {
            "groups": leg.env["oda.instrument"].get_catalogue(
                leg.call_id.lead_id.team_id.id
            ),
            "answers": session.answers or {},
            "chips": session.chips or [],
        }

    def save_answers(self, number, values, page):
        """Note what was advised on, in the session of the person's own talk.

        :param int number: of this packet, growing with each packet of the page
        :param dict values: instrument id -> value, None to take it away
        :param str page: a random name of the page
        :return: as `oda.consultation.session.oda_session_save_draft`
        """
        leg = self._my_leg()
        if leg not in leg._talked():
            raise UserError(self.env._("Instruments are ticked once the talk begins."))
        leg.call_id._lock(touch=True)
        leg._open_sessions()
        if not leg.session_id:
            raise UserError(self.env._("Choose first who is calling."))
        # The leg came with the suite's own rights: it is the right to its session.
        return leg.session_id.oda_session_save_draft(
            leg.session_id.id, number, 0, {"answers": values}, page
        )
