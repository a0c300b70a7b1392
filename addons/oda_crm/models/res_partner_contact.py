# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.tools import SQL, split_every

from .. import unsubscribe
from .oda_consent import PURPOSES

TELL_BATCH = 200  # messages in one transaction
#: They asked for it themselves: the one consent we know of without a register.
ASKED = ("asked", "web")
NEVER = datetime.min
MERGES_FOLLOWED = 10  # of one card into the next, and so on
PROGRAMME_READERS = (
    "oda_base.group_consultant,oda_base.group_supervisor,"
    "oda_base.group_marketing,oda_base.group_admin,oda_base.group_auditor"
)


class ResPartner(models.Model):
    """Telling beneficiaries something: the channel they like, if they like it."""

    _inherit = "res.partner"

    oda_preferred_channel = fields.Selection(
        [("email", "E-mail")],
        string="Write to them by",
        help="Empty: by e-mail.",
    )
    oda_consultation_ids = fields.One2many(
        "crm.lead",
        "partner_id",
        string="Consultations",
        domain=[("type", "=", "opportunity")],
        context={"active_test": False},
        groups="sales_team.group_sale_salesman,oda_base.group_auditor",
    )
    oda_registration_ids = fields.One2many(
        "event.registration",
        "partner_id",
        string="Registrations",
        groups="event.group_event_registration_desk,oda_base.group_auditor",
    )
    oda_programme_follower_ids = fields.One2many(
        "oda.programme.follower",
        "partner_id",
        string="Programmes",
        groups=PROGRAMME_READERS,
    )

    # === TELLING ===#

    def _oda_tell(self, subject, body, purpose, record=None):
        """Tell each of these beneficiaries, through the channel they prefer.

        No consent, no message; every message can be unsubscribed from. Calling it
        twice tells twice: who must not, keeps a row for each, as news do.

        :param str subject: plain text
        :param body: `Markup` is sent as HTML, any other text is escaped
        :param str purpose: a word such as ``news``, what the consent is about
        :param record: what it is about, e.g. the news, or None
        :return: dict: channel code -> those handed over to it; ``refused`` -> without
            consent; ``unreached`` -> without an address; ``later`` -> more than
            `TELL_BATCH`, left to jobs
        """
        unsubscribe.token(1, purpose)  # no key or a wrong purpose: known at once
        if len(self) <= TELL_BATCH:
            return self._oda_tell_now(subject, body, purpose, record)
        html = str(escape(body))
        for ids in split_every(TELL_BATCH, self.ids, tuple):
            self.browse(ids).with_delay(
                channel="root.oda_crm", description=subject[:100]
            )._oda_job_tell(subject, html, purpose, record)
        return {"later": self}

    def _oda_job_tell(self, subject, html, purpose, record=None):
        """Tell one batch; `html` was made safe when the job was enqueued."""
        self.exists()._oda_tell_now(subject, Markup(html), purpose, record)  # noqa: S704

    def _oda_tell_now(self, subject, body, purpose, record=None):
        body = Markup("<p>%s</p>") % body if not isinstance(body, Markup) else body
        allowed = self._oda_may_be_told(purpose, record)
        told = {"refused": self - allowed}
        Channel = self.env["oda.contact.channel"]
        left = self.browse()
        for code, partners in allowed.grouped("oda_preferred_channel").items():
            channel = Channel._of(code) if code and code != "email" else None
            if channel is None:
                left |= partners
                continue
            reached = self._oda_hand_over(
                channel, partners, subject, body, purpose, record
            )
            told[code] = reached
            left |= partners - reached
        told["email"] = self._oda_hand_over(
            Channel._of("email"), left, subject, body, purpose, record
        )
        told["unreached"] = left - told["email"]
        return told

    @api.model
    def _oda_hand_over(self, channel, partners, subject, body, purpose, record):
        reached = self.browse()
        for lang, group in partners.grouped("lang").items():
            reached |= channel.with_context(
                lang=lang or self.env.lang
            )._oda_channel_send(group, subject, body, purpose, record)
        return reached

    # === CONSENT ===#

    def _oda_may_be_told(self, purpose, record=None):
        """Return those of these partners who agreed to such messages.

        They consent to the purpose, or asked for news of this very programme after
        the last time that they said no.
        """
        noes = self._oda_last_no(purpose)
        allowed = self._oda_consents(purpose)
        allowed = allowed.filtered(lambda partner: partner.id not in noes)
        allowed |= self._oda_asked_for(record, noes)
        # In the order of ours; and a no to the programme is above all.
        return (self & allowed) - self._oda_stopped(record)

    def _oda_asked_for(self, record, noes=None):
        """Return those who follow the programme of `record` by their own wish."""
        noes = noes or {}
        return self.browse(
            follower.partner_id.id
            for follower in self._oda_followers_of(record)
            if follower.source in ASKED
            and not follower.unsubscribed_at
            and not noes.get(follower.partner_id.id, NEVER) >= follower.since
        )

    def _oda_stopped(self, record):
        """Return those who do not want news of the programme of `record` any more."""
        return self.browse(
            follower.partner_id.id
            for follower in self._oda_followers_of(record)
            if follower.unsubscribed_at
        )

    def _oda_followers_of(self, record):
        programme = self._oda_programme_of(record)
        # sudo: what they asked for binds whoever sends
        followers = self.env["oda.programme.follower"].sudo()
        if not programme:
            return followers
        return followers.search(
            [("programme_id", "=", programme.id), ("partner_id", "in", self.ids)]
        )

    def _oda_refused(self, purpose):
        """Return those whose last word about such messages is no."""
        noes = self._oda_last_no(purpose)
        return self.filtered(lambda partner: partner.id in noes)

    def _oda_last_no(self, purpose):
        """Return `{partner id: when}` of those whose last word is no."""
        # sudo: a wish not to be told binds everybody
        refusals = self.env["oda.contact.refusal"].sudo()
        noes = {
            refusal.partner_id.id: refusal.at
            for refusal in refusals.search(
                [("partner_id", "in", self.ids), ("purpose", "=", purpose)]
            )
        }
        answers = self.env["oda.consent"].sudo()  # sudo: as above
        said = {}
        for answer in answers.search(
            [("partner_id", "in", self.ids), ("purpose", "=", purpose)],
            order="at, id",
        ):
            said[answer.partner_id.id] = answer
        for partner_id, answer in said.items():
            if not answer.granted:
                noes[partner_id] = max(answer.at, noes.get(partner_id, NEVER))
            elif noes.get(partner_id, NEVER) < answer.at:
                noes.pop(partner_id, None)
        return noes

    @api.model
    def _oda_programme_of(self, record):
        if record is not None and record._name == "oda.programme":
            return record
        if record is not None and "programme_id" in record._fields:
            return record.programme_id
        return self.env["oda.programme"]

    # === UNSUBSCRIBING ===#

    @api.model
    def _oda_now(self, partner_id):
        """Return the card of an id, or the one it was merged into; empty: none.

        Letters live longer than cards do, and so do the wishes that answer them.
        """
        for _merge in range(MERGES_FOLLOWED):
            if partner := self.browse(partner_id).exists():
                return partner
            rows = self.env.execute_query(
                SQL(
                    "SELECT res_id FROM oda_event WHERE code = 'partner.merge'"
                    " AND details->'merged' @> %s::jsonb ORDER BY id DESC LIMIT 1",
                    str(partner_id),
                )
            )
            if not rows:
                break
            partner_id = rows[0][0]
        return self.browse()

    def _oda_unsubscribe_url(self, purpose, record=None):
        """Return the address that ends this without a login, for one partner."""
        self.ensure_one()
        programme = self._oda_programme_of(record)
        token = unsubscribe.token(self.id, purpose, programme.id or 0)
        return f"{self.get_base_url()}/oda/unsubscribe/{token}"

    def _oda_unsubscribe(self, purpose, programme=None):
        """End one programme's news, or with no programme all of that purpose."""
        self.ensure_one()
        # sudo: their own wish, proven by the signed address
        Follower = self.env["oda.programme.follower"].sudo()
        domain = [("partner_id", "=", self.id), ("unsubscribed_at", "=", False)]
        if programme:
            domain.append(("programme_id", "=", programme.id))
        else:
            # One statement: two presses at once are one wish.
            self.env.cr.execute(
                "INSERT INTO oda_contact_refusal (partner_id, purpose, at) "
                "VALUES (%s, %s, %s) "
                "ON CONFLICT (partner_id, purpose) DO UPDATE SET at = EXCLUDED.at",
                (self.id, purpose, fields.Datetime.now()),
                log_exceptions=False,
            )
            self.env["oda.contact.refusal"].invalidate_model()
            if purpose in dict(PURPOSES):  # then answers are kept on the card
                self._oda_give_consent(purpose, granted=False, source="unsubscribe")
        if programme or purpose == "news":
            Follower.search(domain).unsubscribed_at = fields.Datetime.now()
        self.env["oda.event"]._log(
            "contact.unsubscribe",
            self,
            purpose=purpose,
            programme=programme.code if programme else False,
        )

    def action_oda_similar(self):
        """Choose what makes others similar to this beneficiary."""
        self.ensure_one()
        self.check_access("read")
        context = {"default_partner_id": self.id}
        # Made at once, so that the buttons of its lines work.
        wizard = self.env["oda.segment.similar"].with_context(**context).create({})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Similar beneficiaries"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": context,
        }
