# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What goes wrong when somebody wants it to, or when two things meet."""

from contextlib import suppress

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import TelephonyCase


class TestDoors(TelephonyCase):
    """What a person with a login of the suite can reach by RPC."""

    def test_nobody_ties_their_session_to_the_call_of_another(self):
        self.event("INCOMING")
        self.work()
        leg = self.call_of().leg_ids
        mallory = new_test_user(self.env, "t_mal", groups="oda_base.group_consultant")
        with suppress(AccessError):
            self.env["oda.consultation.session"].with_user(mallory).with_context(
                default_res_model="oda.call.leg", default_res_id=leg.id
            ).create({"partner_id": mallory.partner_id.id})
        self.event("ACCEPTED")
        self.work()
        self.assertEqual(leg.session_id.user_id, self.ana)
        self.assertEqual(leg.session_id.partner_id, self.partner)
