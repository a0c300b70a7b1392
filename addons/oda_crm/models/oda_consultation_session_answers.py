# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections.abc import Mapping

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import drafts, instruments

_CLIENT_MAX = 64  # characters
_NUMBER_MAX = 2**31


class OdaConsultationSession(models.Model):
    """What was advised in a session, and how it is saved while it is typed."""

    _inherit = "oda.consultation.session"

    answer_ids = fields.One2many(
        "oda.instrument.answer", "session_id", string="Advice given", readonly=True
    )
    answers = fields.Json(
        compute="_compute_answers",
        inverse="_inverse_answers",
        string="Instruments",
        help="Instrument id -> value; what is not named stays, null is taken away.",
    )
    chips = fields.Json(compute="_compute_answers", string="Advised on")

    @api.depends("answer_ids.answered_at")
    @api.depends_context("lang")
    def _compute_answers(self):
        for session in self:
            answers = session.answer_ids.sorted(
                lambda one: (one.group_id.sequence, one.instrument_id.sequence, one.id)
            )
            session.answers = {str(one.instrument_id.id): one._raw() for one in answers}
            session.chips = [one._chip() for one in answers]

    def _inverse_answers(self):
        for session in self:
            if session.answers:
                session._note_answers(session.answers)
        self.invalidate_recordset(["answers", "chips"])

    # === ANSWERS ===#

    def _set_answers(self, values):
        """Note answers; the same answer again keeps who gave it, and when.

        :param dict values: instrument id (int or text) -> raw value, None to remove
        :raise UserError: what is wrong with which instrument, in words
        """
        if self._note_answers(values):
            self._trace("answers")

    def _note_answers(self, values):
        """Do it without a word in the journal, where the write itself has its own.

        :return: whether anything changed
        """
        self.ensure_one()
        self._refuse_not_mine()
        values = self._read_values(values)
        # sudo: whoever may write the session may note answers, in no other way
        Answer = self.env["oda.instrument.answer"].sudo()
        have = {
            answer.instrument_id.id: answer
            for answer in Answer.search([("session_id", "=", self.id)])
        }
        changed = {}
        for instrument, raw in values.items():
            old = have.get(instrument.id, Answer)
            value = self._read_value(instrument, raw, old)
            shown = fields.Date.to_string(value) if instrument.kind == "date" else value
            if (shown or value) != (old._raw() if old else None):
                changed[instrument] = value
        if changed:
            self._store_answers(changed, have)
        return bool(changed)

    def _store_answers(self, changed, have):
        Answer = self.env["oda.instrument.answer"].sudo()  # sudo: as above
        given = self.env["oda.instrument"].union(
            *(one for one, value in changed.items() if value is not None)
        )
        versions = self.env["oda.instrument.version"]._of(given)
        new, now = [], fields.Datetime.now()
        for instrument, value in changed.items():
            old = have.get(instrument.id)
            if value is None:
                old.unlink()
                continue
            vals = Answer._columns(instrument.kind, value) | {
                "version_id": versions[instrument.id],
                "user_id": self.env.uid,
                "answered_at": now,
            }
            if old:
                old.write(vals)
            else:
                ids = {"session_id": self.id, "instrument_id": instrument.id}
                new.append(vals | ids)
        Answer.create(new)
        self.invalidate_recordset(["answer_ids", "answers", "chips"])

    @api.model
    def _read_values(self, values):
        """Return {instrument: raw value} of what came over RPC."""
        if not isinstance(values, Mapping):
            raise UserError(self.env._("The answers cannot be read."))
        try:
            ids = {int(key): raw for key, raw in values.items()}
        except (TypeError, ValueError):
            ids = {}
        known = [key for key in ids if 0 < key < _NUMBER_MAX]
        found = self.env["oda.instrument"].browse(known).exists()
        if len(found) != len(values):
            raise UserError(
                self.env._("One of these instruments is no more: reload the page.")
            )
        return {instrument: ids[instrument.id] for instrument in found}

    def _read_value(self, instrument, raw, old):
        """Return the value as it is kept; what was chosen before may stay chosen."""
        if raw is not None and not instrument.active and not old:
            raise UserError(
                self.env._("“%s” is not advised on any more.", instrument.name)
            )
        options = instrument.option_ids | old.value_option_ids
        try:
            return instruments.normalise(instrument.kind, raw, options.ids)
        except instruments.BadAnswer as error:
            words = {
                "tick": self.env._("“%s”: this can only be ticked.", instrument.name),
                "one": self.env._("“%s”: choose one of its options.", instrument.name),
                "several": self.env._(
                    "“%s”: choose among its options.", instrument.name
                ),
                "number": self.env._("“%s”: write a number.", instrument.name),
                "text": self.env._("“%s”: write a text.", instrument.name),
                "date": self.env._("“%s”: write a date.", instrument.name),
                "long": self.env._("“%s”: this text is too long.", instrument.name),
            }
            raise UserError(words[error.reason]) from error

    # === DRAFTS ===#

    @api.model
    def oda_session_save_draft(self, session_id, number, base_version, values, client):
        """Save what was typed, in whatever order it arrives (see `drafts.py`).

        :param int number: of this packet, growing with each packet of the page
        :param int base_version: `content_version` of the text that was changed
        :param dict values: any of `content` (the whole text) and `answers` (as the
            field): everything the page has not been told is saved
        :param str client: the page, a random name made when it was opened
        :return: {version, outcome, chips}; outcome 'late' or 'same': nothing was
            done; 'taken'; 'both': another text stands above, and `content`,
            `prefix` (where one's own begins), `cut` (how much of one's own is
            above) and `author` say how
        """
        packet = self._read_packet(number, base_version, values, client)
        session = self._draft_session(session_id)
        before = session._kept_text()
        author = session.content_user_id
        if drafts.is_late(before, packet.client, packet.number):
            return session._draft_answer(drafts.Merged(before, "late"))
        if "content" in values:
            merged = drafts.merge(before, packet, session._dividing_line())
            session._check_length(merged.kept.text)
        else:
            kept = drafts.heard(before, packet.client, packet.number)
            merged = drafts.Merged(kept, "same")
        session._store_text(merged.kept, before, packet.client)
        if "answers" in values:
            session._set_answers(values["answers"])
        answer = session._draft_answer(merged)
        if merged.outcome == "both":
            # sudo: only the name of who wrote the other text
            answer["author"] = author.sudo().name or ""
        return answer

    @api.model
    def _draft_session(self, session_id):
        known = type(session_id) is int and 0 < session_id < _NUMBER_MAX
        session = self.browse(session_id if known else ()).exists()
        if not session:
            raise UserError(
                self.env._("This session is no more: copy your text to another one.")
            )
        session.check_access("write")
        session._refuse_not_mine()
        # Two pages at once: the second waits here, and is repeated on what the first
        # has left. Found by an UPDATE it would be logged as an error, with the text.
        session.flush_recordset()
        self.env.cr.execute(
            "SELECT 1 FROM oda_consultation_session WHERE id = %s FOR NO KEY UPDATE",
            (session.id,),
            log_exceptions=False,
        )
        return session

    @api.model
    def _read_packet(self, number, base_version, values, client):
        numbers = (number, base_version)
        if (
            not isinstance(values, Mapping)
            or values.keys() - {"content", "answers"}
            or any(
                type(one) is not int or not 0 <= one < _NUMBER_MAX for one in numbers
            )
            or not isinstance(client, str)
            or not 0 < len(client) <= _CLIENT_MAX
            or not isinstance(values.get("content", ""), str)
        ):
            raise UserError(self.env._("The draft cannot be read: reload the page."))
        text = values.get("content", "").replace("\0", "")
        self._check_length(text)
        return drafts.Packet(client, number, base_version, text)

    def _draft_answer(self, merged):
        answer = {
            "version": merged.kept.version,
            "outcome": merged.outcome,
            "chips": self.chips,
        }
        if merged.outcome == "both":
            answer.update(
                content=merged.kept.text, prefix=merged.prefix, cut=merged.cut
            )
        return answer

    def _dividing_line(self):
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        return f"--- {self.env.user.name}, {now:%d.%m.%Y %H:%M} ---"
