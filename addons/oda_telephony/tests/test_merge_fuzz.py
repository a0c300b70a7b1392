# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Any transfers, in any order and any batches, with people who type between them."""

import os
import random

from .common import TelephonyCase

IDS = ("call-1", "c2", "c3", "c4")
NUMBERS = ("37369555111", "37379555222", "37379123123")
KINDS = ("INCOMING", "ACCEPTED", "CANCELLED", "COMPLETED", "OUTGOING", "TRANSFERRED")
ROUNDS = int(os.environ.get("ODA_FUZZ_ROUNDS", 25))


class TestMergeFuzz(TelephonyCase):
    def _one(self, chance):
        callid = chance.choice(IDS)
        same = {
            "callid": callid,
            "phone": chance.choice(NUMBERS[: chance.choice((1, 3))]),
        }
        if chance.random() < 0.15:
            link = f"https://t.pbx.moldcell.md/{callid}.mp3"
            self.push(
                "history",
                user=chance.choice(("ana", "igor", "pbx")),
                status=chance.choice(("Success", "missed")),
                link=link,
                **same,
            )
            self.links.add(link)
            return
        kind = chance.choice(KINDS)
        if kind == "TRANSFERRED":
            same["second_callid"] = chance.choice(IDS)
        if kind == "OUTGOING":
            same["direction"] = "out"
        self.event(kind, user=chance.choice(("ana", "igor", "g_all")), **same)

    def _type(self, chance):
        for user in (self.ana, self.igor):
            calls = self.env["oda.call"].with_user(user)
            for card in calls.get_live_calls():
                if chance.random() < 0.3:
                    continue
                word = f"w{len(self.words)}."
                old = (card["session"] or {}).get("content", "")
                call, note = calls.browse(card["id"]), f"{old} {word}"
                chance.choice((call.save_draft, call.save_draft, call.finish))(
                    {"note": note}
                )
                self.words.add(word)

    def _decide(self, chance):
        calls = self.env["oda.call"].with_user(self.robot)
        calls = calls.search([("account_id", "=", self.account.id)])
        if calls:
            call = chance.choice(calls)
            call._decide(now=self.later(seconds=chance.choice((1, 60, 30_000))))

    def _check(self):
        rows = self.env["oda.inbound"].search([("account_id", "=", self.account.id)])
        self.assertLessEqual(
            set(rows.mapped("state")), {"done", "ignored"}, rows.mapped("error")
        )
        calls = self.env["oda.call"].search([("account_id", "=", self.account.id)])
        merged = calls.filtered("merged_into_id")
        for leg in merged.leg_ids:
            self.assertTrue(leg.closed)
            self.assertFalse(leg.session_id or leg.note)
        mains = calls - merged
        self.assertLessEqual(merged.merged_into_id, mains, "no chains")
        sessions = (
            self.env["oda.consultation.session"].search(
                [("res_model", "=", "oda.call.leg")]
            )
            - self.before
        )
        self.assertEqual(
            sorted(sessions.mapped("res_id")),
            sorted(mains.leg_ids.filtered("session_id").ids),
        )
        for leg in mains.leg_ids:
            self.assertTrue(not leg.session_id or leg.session_id.res_id == leg.id)
            self.assertFalse(leg.session_id and leg.note)
        text = "\n".join(call.content or "" for call in mains)
        lost = [word for word in self.words if word not in text]
        self.assertFalse(lost, text)
        self.assertEqual(set(mains.recording_ids.mapped("url")), self.links)

    def test_fuzz(self):
        self.env["res.partner"].create({"name": "Elena", "phone": "+37379555222"})
        self.before = self.env["oda.consultation.session"].search([])
        for seed in range(ROUNDS):
            chance = random.Random(seed)
            self.links, self.words = set(), set()
            with self.subTest(seed=seed), self.env.cr.savepoint() as point:
                for _n in range(chance.randrange(3, 20)):
                    self._one(chance)
                    if chance.random() < 0.4:
                        self.work()
                        self._type(chance)
                    if chance.random() < 0.1:
                        self._decide(chance)
                self.work()
                self._check()
                point.rollback()
            self.env.invalidate_all()
