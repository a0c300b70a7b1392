# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_crm.drafts import CLIENTS, Kept, Packet, is_late, merge, rewritten

LINE = "--- Ana, 14:02 ---"
WORDS = st.lists(
    st.sampled_from(["PARE", "grant", "\n", " ", "acte", "joi", "\nîn", "a"]),
    max_size=8,
).map("".join)


def put(kept, *packets):
    outcomes = []
    for packet in packets:
        merged = merge(kept, packet, LINE)
        kept = merged.kept
        outcomes.append(merged.outcome)
    return kept, outcomes


class Page:
    """A browser's page as `session_draft.js` is one: types, sends, may miss answers."""

    def __init__(self, name, kept):
        self.name, self.number = name, 0
        self.text, self.base = kept.text, kept.version

    def packet(self):
        self.number += 1
        return Packet(self.name, self.number, self.base, self.text)

    def hear(self, merged, sent):
        if merged.outcome == "both":
            cut = merged.cut
            if self.text != sent and self.text[:cut] != sent[:cut]:
                return
            self.text = merged.kept.text[: merged.prefix] + self.text[cut:]
        self.base = merged.kept.version


class TestDrafts(BaseCase):
    def test_one_page_in_order(self):
        kept, outcomes = put(
            Kept(), Packet("a", 1, 0, "Vrea"), Packet("a", 2, 1, "Vrea grant")
        )
        self.assertEqual(outcomes, ["taken", "taken"])
        self.assertEqual((kept.text, kept.version), ("Vrea grant", 2))

    def test_late_packet_changes_nothing(self):
        kept, _ = put(Kept(), Packet("a", 2, 0, "Vrea grant"))
        late, outcomes = put(kept, Packet("a", 1, 0, "Vrea"), Packet("a", 2, 0, "x"))
        self.assertEqual(outcomes, ["late", "late"])
        self.assertEqual(late, kept)

    def test_the_answer_was_lost(self):
        kept, outcomes = put(
            Kept(), Packet("a", 1, 0, "Vrea"), Packet("a", 2, 0, "Altceva")
        )
        self.assertEqual((kept.text, outcomes[-1]), ("Altceva", "taken"))

    def test_two_people_both_texts_stand(self):
        kept, outcomes = put(
            Kept(), Packet("a", 1, 0, "de la Ana"), Packet("b", 1, 0, "de la Ion")
        )
        self.assertEqual(outcomes[-1], "both")
        self.assertEqual(kept.text, f"de la Ana\n\n{LINE}\nde la Ion")

    def test_two_people_and_the_second_did_not_hear_it(self):
        kept, outcomes = put(
            Kept(),
            Packet("a", 1, 0, "de la Ana"),
            Packet("b", 1, 0, "de la"),
            Packet("b", 2, 0, "de la Ion"),
        )
        self.assertEqual(outcomes[-1], "both")
        self.assertEqual(kept.text, f"de la Ana\n\n{LINE}\nde la Ion")

    def test_common_beginning_is_not_said_twice(self):
        start = Kept(text="Prima zi\nA doua zi\n", version=4)
        kept, _ = put(
            start,
            Packet("a", 1, 4, start.text + "Ana"),
            Packet("b", 1, 4, start.text + "Ion"),
        )
        self.assertEqual(kept.text, f"{start.text}Ana\n\n{LINE}\nIon")

    def test_common_beginning_that_is_changed_after_all_is_said_in_full(self):
        start = Kept(text="Prima zi\n", version=4)
        kept, _ = put(
            start,
            Packet("a", 1, 4, "Prima zi\nAna"),
            Packet("b", 1, 4, "Prima zi\nIon"),
            Packet("b", 2, 4, "A doua zi\nIon"),
        )
        self.assertEqual(kept.text, f"Prima zi\nAna\n\n{LINE}\nA doua zi\nIon")

    def test_after_a_reload_what_was_already_taken_is_no_conflict(self):
        kept, _ = put(Kept(), Packet("a", 1, 0, "Vrea"))
        kept, outcomes = put(kept, Packet("a-again", 1, 0, "Vrea grant"))
        self.assertEqual((kept.text, outcomes), ("Vrea grant", ["taken"]))

    def test_form_or_import_in_between(self):
        kept, _ = put(Kept(), Packet("a", 1, 0, "Vrea"))
        kept = rewritten(kept, "scris altfel")
        kept, outcomes = put(kept, Packet("a", 2, 1, "Vrea grant"))
        self.assertEqual(outcomes, ["both"])
        self.assertEqual(kept.text, f"scris altfel\n\n{LINE}\nVrea grant")

    def test_pages_are_forgotten_not_gathered(self):
        kept = Kept()
        for page in range(CLIENTS * 2):
            kept, _ = put(kept, Packet(f"p{page}", 1, kept.version, f"t{page}"))
        self.assertEqual(len(kept.numbers), CLIENTS)
        self.assertTrue(is_late(kept, f"p{CLIENTS * 2 - 1}", 1))

    def test_state_survives_the_database(self):
        kept, _ = put(Kept(), Packet("b", 7, 0, "x"), Packet("a", 1, 0, "alt"))
        state = json.loads(json.dumps(kept.state()))
        self.assertEqual(Kept.of(kept.text, kept.version, state), kept)
        self.assertEqual(list(Kept.of("", 0, state).numbers), ["b", "a"])

    @settings(max_examples=300, deadline=None)
    @given(st.lists(WORDS, min_size=1, max_size=8), st.data())
    def test_one_page_any_order_ends_in_the_newest_that_came(self, texts, data):
        """Delayed, repeated and dropped packets whose answers may be lost."""
        kept, base, packets = Kept(), 0, []
        for number, text in enumerate(texts, 1):
            packets.append(Packet("a", number, base, text))
        arrived = data.draw(
            st.lists(st.sampled_from(packets), min_size=1, max_size=len(packets) * 2)
        )
        for packet in arrived:
            before = kept
            kept = merge(kept, packet, LINE).kept
            self.assertGreaterEqual(kept.version, before.version)
        newest = max(arrived, key=lambda packet: packet.number)
        self.assertEqual(kept.text, newest.text)

    @settings(max_examples=400, deadline=None)
    @given(st.data())
    def test_any_pages_nothing_is_lost(self, data):
        """Pages only add lines of their own; every line that was sent is kept."""
        kept = Kept()
        pages = [Page(name, kept) for name in "abc"]
        under_way, sent_lines = [], set()
        for step in range(data.draw(st.integers(1, 14))):
            page = data.draw(st.sampled_from(pages))
            act = data.draw(st.sampled_from(["type", "send", "arrive", "arrive"]))
            if act == "type":
                end = "" if not page.text or page.text.endswith("\n") else "\n"
                page.text += f"{end}{page.name}{step}\n"
            elif act == "send":
                under_way.append((page, page.packet()))
            elif under_way:
                place = data.draw(st.integers(0, len(under_way) - 1))
                author, packet = under_way[place]
                merged = merge(kept, packet, LINE)
                if merged.outcome != "late":
                    sent_lines |= set(packet.text.split("\n"))
                kept = merged.kept
                is_newest = packet.number == author.number
                if data.draw(st.booleans()):
                    del under_way[place]  # else it comes once more
                if is_newest and merged.outcome != "late" and data.draw(st.booleans()):
                    author.hear(merged, packet.text)
            missing = sent_lines - set(kept.text.split("\n"))
            self.assertFalse({line for line in missing if line.strip()}, kept.text)
        for page in pages:  # all are heard in the end
            merged = merge(kept, page.packet(), LINE)
            page.hear(merged, page.text)
            kept = merged.kept
            self.assertEqual(page.text, kept.text)
