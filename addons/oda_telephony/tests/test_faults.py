# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import random
from datetime import datetime, timezone
from types import SimpleNamespace

from odoo.tests import tagged

from odoo.addons.oda_base.connectors import PushRefused

from .exchange import Exchange, Mischief, expected
from .fake_pbx import HOST
from .test_reconcile import ReconcileCase

CALLS = 75  # of each of two accounts
KNOWN = "37369555111"
PHONES = (KNOWN, *(f"3736900{n:04d}" for n in range(40)))


@tagged("post_install", "-at_install")
class TestFaults(ReconcileCase):
    """Calls by chance, spoiled pushes, an outage: the end is the exchange's truth.

    The same simulator with 5 000 calls over HTTP: `make bench ONLY=faults`.
    """

    def setUp(self):
        super().setUp()
        self.other = self.env["oda.connector.account"].create(
            {
                "name": "second PBX",
                "connector": "moldcell",
                "key": "t2",
                "secret": "a-token-of-the-tests",
                "moldcell_address": f"second.{HOST}",
            }
        )
        self.env["oda.pbx.user"].create(
            [
                {
                    "account_id": self.other.id,
                    "login": user.login[2:],
                    "user_id": user.id,
                }
                for user in (self.ana, self.igor)
            ]
        )
        self.env.cr.execute(
            "UPDATE oda_connector_account SET create_date = %s WHERE id = %s",
            (self.later(days=-2), self.other.id),
        )
        self.other.invalidate_recordset(["create_date"])

    def test_the_end_is_the_truth(self):
        for seed, skew in ((1, 0), (2, 420), (3, -900)):
            with self.subTest(seed=seed):
                self.play(seed, skew, Mischief())

    def test_all_pushes_lost(self):
        self.play(11, 0, Mischief(lost=1))

    def test_all_pushes_twice_and_mixed(self):
        calm = Mischief(twice=1, mixed=1, late=0.3, partial=0, lost=0, outage=(1, 1))
        self.play(12, 0, calm)

    def play(self, seed, skew, mischief):
        chance = random.Random(seed)
        now = datetime.now(timezone.utc)
        sides = []
        for account, prefix in ((self.account, "A"), (self.other, "B")):
            exchange = Exchange(
                f"{seed}{prefix}", f"{prefix}{seed}", now, phones=PHONES, skew=skew
            ).make(CALLS // 3)
            arrived = mischief.spoil(list(exchange.calls.values()), chance)
            sides.append(SimpleNamespace(account=account, exchange=exchange))
            sides[-1].arrived = self.deliver(account, arrived, chance)
        for side in sides:
            self.decide_some(side, chance)
        self.catch_up(sides)
        wrong = [words for side in sides for words in self.faults(side)]
        self.assertEqual(wrong, [], f"seed {seed}")
        self.assertEqual(self.doubled_cards(), [])
        # Once more changes nothing.
        versions = {
            call: call.version
            for call in self.env["oda.call"].search(
                [("account_id", "in", [self.account.id, self.other.id])]
            )
        }
        self.catch_up(sides)
        for call, version in versions.items():
            self.assertEqual(call.version, version, call.callid)

    def deliver(self, account, pushes, chance):
        """Bring pushes in, working the inbox now and then; return those taken."""
        taken = []
        self.account, home = account, self.account
        try:
            for push in pushes:
                values = {k: v for k, v in push.items() if k != "cmd"}
                bare = {"phone": None, "user": None, "direction": None}
                bare |= {"type": None, "status": None, "duration": None, "wait": None}
                try:
                    self.push(push["cmd"], **{**bare, **values})
                except PushRefused:
                    continue
                taken.append(push)
                if chance.random() < 0.08:
                    self.work()
            self.work()
        finally:
            self.account = home
        box = self.env["oda.inbound"].search([("account_id", "=", account.id)])
        self.assertLessEqual(set(box.mapped("state")), {"done", "ignored"})
        return taken

    def decide_some(self, side, chance):
        """Silence has decided about some before the history is read."""
        calls = self.env["oda.call"].search(
            [("account_id", "=", side.account.id), ("decide_at", "!=", False)]
        )
        for call in calls:
            if chance.random() < 0.5:
                call.with_user(self.robot)._decide(self.later(minutes=20))
        self.env.invalidate_all()

    def catch_up(self, sides):
        """An hour of outage, then the histories."""
        for side in sides:
            side.account.reconciled_until = False
            self.pbx.answers["history"] = 503
            self.reconcile(side.account)

            def answer(data, exchange=side.exchange):
                since, until = (
                    datetime.strptime(data[name], "%Y%m%dT%H%M%SZ").replace(
                        tzinfo=timezone.utc
                    )
                    for name in ("start", "end")
                )
                return exchange.history(since, until)

            self.pbx.answers["history"] = answer
            self.reconcile(side.account)

    def faults(self, side):
        """Return what is not as the exchange has it, as sentences."""
        truth, merged = expected(side.exchange, side.arrived)
        mine = [
            ("account_id", "=", side.account.id),
            ("callid", "=like", f"{side.exchange.prefix}-%"),
        ]
        calls = {call.callid: call for call in self.env["oda.call"].search(mine)}
        wrong = [
            f"{one}: not of the exchange"
            for one in calls.keys() - truth.keys() - merged.keys()
        ]
        for callid, one in truth.items():
            call = calls.get(callid)
            if call is None:
                wrong.append(f"{callid}: lost")
                continue
            wrong += self.compare(call, one)
        for callid, main in merged.items():
            if calls[callid]._main() != calls[main]:
                wrong.append(f"{callid}: not a part of {main}")
        return wrong

    def compare(self, call, one):
        legs = {leg.login: leg for leg in call.leg_ids}
        talkers = {login for login, leg in legs.items() if leg.state == "done"}
        known = call.e164 and len(call.partner_id) == 1
        sessions = call.leg_ids.session_id
        right = {
            "state": (call.state, "ended"),
            "outcome": (call.outcome, one.outcome),
            "direction": (call.direction, one.direction),
            "phone": (call.phone, one.phone),
            "duration": (call.duration, one.duration),
            "rating": (call.rating, one.rating),
            "answered by": (
                call.user_id.login or "",
                f"t_{one.talkers[0]}" if one.talkers else "",
            ),
            "talkers": (talkers, set(one.talkers)),
            "legs": (
                {login: legs[login].state for login in legs},
                {login: one.legs[login] for login in legs},
            ),
            "recordings": (set(call.recording_ids.mapped("url")), one.urls),
            "sessions": (len(sessions), len(set(one.talkers)) if known else 0),
            "open sessions": (len(sessions.filtered(lambda s: not s.ended_at)), 0),
        }
        if one.direction == "in" and call.e164:
            right["card"] = (len(call.partner_id), 1)
        return [
            f"{call.callid}: {name} is {is_!r}, not {should!r}"
            for name, (is_, should) in right.items()
            if is_ != should
        ]

    def doubled_cards(self):
        """Return the numbers of strangers that have more than one card."""
        groups = self.env["oda.phone"]._read_group(
            [("e164", "in", [f"+{phone}" for phone in PHONES])],
            ["e164"],
            ["__count"],
            having=[("__count", ">", 1)],
        )
        return [e164 for e164, _count in groups]
