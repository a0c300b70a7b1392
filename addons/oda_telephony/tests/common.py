# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlencode

from odoo import fields
from odoo.tests import TransactionCase, new_test_user

from odoo.addons.oda_base.connectors import Push
from odoo.addons.oda_telephony.drivers.events import ContactQuery

SECRET = "a-token-of-the-tests"


class TelephonyCase(TransactionCase):
    """An account of the exchange, two consultants with logins, one beneficiary.

    `push()` brings a push through the connector into the inbox, `work()` works
    it as the connector user, `told` collects what browsers were told.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.country_id = cls.env.ref("base.md")
        # The suite runs beside demo data too: nothing here may lean on it.
        cls.account = cls.env["oda.connector.account"].create(
            {"name": "test PBX", "connector": "moldcell", "key": "t", "secret": SECRET}
        )
        cls.ana = new_test_user(cls.env, "t_ana", groups="oda_base.group_consultant")
        cls.igor = new_test_user(cls.env, "t_igor", groups="oda_base.group_consultant")
        cls.boss = new_test_user(cls.env, "t_boss", groups="oda_base.group_supervisor")
        cls.env["oda.pbx.user"].create(
            [
                {"account_id": cls.account.id, "login": login, "user_id": user.id}
                for login, user in (("ana", cls.ana), ("igor", cls.igor))
            ]
        )
        cls.partner = cls.env["res.partner"].create(
            {"name": "Vasile Croitoru", "phone": "069 555 111"}
        )
        cls.robot = cls.env.ref("oda_base.user_connector")

    def setUp(self):
        super().setUp()
        self.told = []
        case = self

        def bus_send(record, kind, message, /, *, subchannel=None):
            if kind == "oda_telephony.call":
                case.told.append((record.login, message["state"], message["id"]))

        patcher = patch.object(type(self.env["res.users"]), "_bus_send", bus_send)
        patcher.start()
        self.addCleanup(patcher.stop)

    # --- pushes -----------------------------------------------------------------

    def fields_of(self, cmd, **values):
        """Return the fields of a push as the exchange sends them."""
        base = {"cmd": cmd, "callid": "call-1", "phone": "37369555111"}
        if cmd == "event":
            base.update(direction="in", user="ana")
        if cmd == "history":
            base.update(
                type="in", status="Success", user="ana", duration="60", wait="5"
            )
        base.update(values, crm_token=SECRET)
        return {key: value for key, value in base.items() if value is not None}

    def push(self, cmd, as_json=False, **values):
        """Bring one push into the inbox; return its row id, None if known."""
        values = self.fields_of(cmd, **values)
        if as_json:
            content_type, body = "application/json", json.dumps(values).encode()
        else:
            content_type = "application/x-www-form-urlencoded"
            body = urlencode(values).encode()
        push = Push("POST", {}, {}, content_type, body, "127.0.0.1")
        account = self.account._account()
        driver = self.account._driver()
        driver.authenticate(push, account)
        envelope = driver.identify(push)
        return self.env["oda.inbound"]._receive(account, push, envelope)

    def work(self):
        """Work the inbox of the account as its job does."""
        box = self.env["oda.inbound"].with_user(self.robot)
        while box._drain_batch(self.account.id):
            pass
        self.env.invalidate_all()

    def query(self, phone, did=None, callid="call-1"):
        """Return the question of an exchange while it rings."""
        return ContactQuery(phone=phone, callid=callid, did=did)

    def event(self, kind, **values):
        self.push("event", type=kind, **values)

    def call_of(self, callid="call-1"):
        return self.env["oda.call"].search(
            [("account_id", "=", self.account.id), ("callid", "=", callid)]
        )

    def answered_call(self, callid="call-1", phone="37369555111", **history):
        """Play a whole answered call and return it."""
        for kind in ("INCOMING", "ACCEPTED", "COMPLETED"):
            self.event(kind, callid=callid, phone=phone)
        self.push("history", callid=callid, phone=phone, **history)
        self.work()
        return self.call_of(callid)

    def later(self, **delta):
        """Return the moment in `delta`, as the database stores it."""
        return fields.Datetime.now() + timedelta(**delta)
