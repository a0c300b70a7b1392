# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import fields

from .common import TelephonyCase

STRANGER = "37379123123"
MINUTE = timedelta(minutes=1)


class CallbackCase(TelephonyCase):
    """A centre that is open now, whatever the clock says, or shut by `shut()`.

    Its members are Ana and Igor; the boss leads the flow.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oda.day"].search([]).active = False
        cls.ana.name, cls.igor.name = "t_ana", "t_igor"
        cls.callbacks = cls.env["oda.callback"]
        cls.callbacks.search([]).unlink()
        company = cls.env.company
        company.oda_callback_minutes = 30
        company.oda_callback_night_minutes = 60
        company.resource_calendar_id = cls.env["resource.calendar"].create(
            {"name": "Test", "tz": "UTC", "company_id": False}
        )
        cls.flow = cls.env["crm.lead"]._oda_default_flow()
        cls.flow.user_id = cls.boss
        members = cls.env["crm.team.member"]
        members.search([("crm_team_id", "=", cls.flow.id)]).unlink()
        members.create(
            [
                {"crm_team_id": cls.flow.id, "user_id": user.id}
                for user in cls.ana | cls.igor
            ]
        )
        cls.open()

    @classmethod
    def hours(cls, *days):
        """Let the week be these `(weekday, from, to)`, in UTC."""
        cls.env.company.resource_calendar_id.attendance_ids = [
            (5, 0, 0),
            *(
                (
                    0,
                    0,
                    {
                        "name": "h",
                        "dayofweek": str(day),
                        "hour_from": start,
                        "hour_to": end,
                        "day_period": "morning",
                    },
                )
                for day, start, end in days
            ),
        ]

    @classmethod
    def open(cls):
        cls.hours(*((day, 0, 24) for day in range(7)))

    @classmethod
    def shut(cls):
        """Be open one day of the week only, 08:00-17:00: the day after tomorrow."""
        day = (fields.Datetime.now() + timedelta(days=2)).weekday()
        cls.hours((day, 8, 17))

    def morning(self):
        """Return the opening after `shut()`."""
        day = fields.Datetime.now() + timedelta(days=2)
        return day.replace(hour=8, minute=0, second=0, microsecond=0)

    def at(self, minutes):
        """Return how the exchange writes the moment so many minutes from now."""
        moment = fields.Datetime.now() + minutes * MINUTE
        return f"{moment:%Y%m%dT%H%M%SZ}"

    def missed(self, callid="m1", phone="37369555111", minutes=-5, **values):
        """Play a call that nobody took."""
        base = dict(
            status="missed", user="pbx", duration="0", wait="20", start=self.at(minutes)
        )
        self.push("history", callid=callid, phone=phone, **{**base, **values})
        self.work()
        return self.call_of(callid)

    def talked(self, callid="t1", phone="37369555111", minutes=-1, **values):
        """Play a call in which Ana spoke with them; `type` 'out' when she called."""
        base = dict(status="Success", user="ana", wait="5", start=self.at(minutes))
        self.push("history", callid=callid, phone=phone, **{**base, **values})
        self.work()
        return self.call_of(callid)

    def rows(self, phone="+37369555111"):
        return self.callbacks.search([("e164", "=", phone)], order="id")

    def row(self, phone="+37369555111"):
        row = self.rows(phone)
        self.assertEqual(len(row), 1)
        return row
