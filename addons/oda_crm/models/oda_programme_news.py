# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.oda_base import sealing

from .. import unsubscribe
from .res_partner_contact import TELL_BATCH

# Each follower of a page gets their row here, or had it: nobody is told twice.
_NOTICES = """
INSERT INTO oda_programme_notice (news_id, partner_id, at)
SELECT %s, p, now() AT TIME ZONE 'UTC' FROM unnest(%s::integer[]) p
ON CONFLICT (news_id, partner_id) DO NOTHING
RETURNING partner_id
"""


class OdaProgrammeNews(models.Model):
    """What followers of a programme are told, each once, in batches."""

    _name = "oda.programme.news"
    _inherit = "oda.by_system"
    _description = "News of a programme"
    _order = "published_at desc, id desc"
    _oda_by_system = {"state", "published_at", "total", "last_partner_id", "call_id"}

    programme_id = fields.Many2one(
        "oda.programme", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="programme_id.company_id")
    call_id = fields.Many2one(
        "oda.programme.call", readonly=True, index="btree_not_null"
    )
    name = fields.Char(string="Subject", required=True, translate=True)
    body = fields.Html(string="Text", translate=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("publishing", "Being sent"),
            ("published", "Sent"),
            ("cancelled", "Stopped"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    published_at = fields.Datetime(readonly=True, copy=False)
    total = fields.Integer(string="Followers", readonly=True, copy=False)
    last_partner_id = fields.Integer(readonly=True, copy=False)
    told_count = fields.Integer(string="Told", compute="_compute_counts")
    untold_count = fields.Integer(
        string="Not told",
        compute="_compute_counts",
        help="No consent, unsubscribed meanwhile, or no address to write to.",
    )
    progress = fields.Float(string="Sent (%)", compute="_compute_counts")
    notice_ids = fields.One2many("oda.programme.notice", "news_id", readonly=True)

    def _compute_counts(self):
        counts = {}
        for news, state, count in self.env["oda.programme.notice"]._read_group(
            [("news_id", "in", self.ids)], ["news_id", "state"], ["__count"]
        ):
            counts.setdefault(news, {})[state] = count
        for news in self:
            found = counts.get(news, {})
            done = sum(found.values())
            news.told_count = found.get("told", 0)
            news.untold_count = done - news.told_count
            part = done / news.total if news.total else 0.0
            sent = news.state == "published"
            news.progress = 100.0 if sent else min(100.0, 100.0 * part)

    def write(self, vals):
        if not vals.keys().isdisjoint({"name", "body", "programme_id"}) and any(
            news.state in ("publishing", "published") for news in self
        ):
            raise UserError(
                self.env._("These news are on their way: write new ones instead.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        if any(news.state != "draft" for news in self):
            raise UserError(self.env._("News that were sent are kept."))

    # === SENDING ===#

    def action_publish(self):
        """Begin to tell the followers; what was stopped goes on where it was."""
        self.check_access("write")
        self._publish()
        return True

    def _publish(self):
        for news in self:
            if news.state not in ("draft", "cancelled"):
                continue
            if not (news.body or "").strip():
                raise UserError(self.env._("Write the text of the news first."))
            try:
                unsubscribe.token(1, "news")
            except sealing.SealingKeyMissing as error:
                raise UserError(
                    self.env._(
                        "Letters need an address to unsubscribe, which the server "
                        "cannot sign. Tell its operator: %s",
                        error,
                    )
                ) from error
            # sudo: what the buttons alone may write; the right was checked
            news.sudo().write(
                {
                    "state": "publishing",
                    "published_at": fields.Datetime.now(),
                    "total": len(news.notice_ids)
                    + self.env["oda.programme.follower"].search_count(
                        news._follower_domain()
                    ),
                }
            )
            news._enqueue()

    def action_cancel(self):
        """Stop; those who were told already stay told."""
        self.check_access("write")
        # sudo: as in `_publish`
        self.sudo().filtered(
            lambda news: news.state == "publishing"
        ).state = "cancelled"
        return True

    def _follower_domain(self):
        return [
            ("programme_id", "=", self.programme_id.id),
            ("unsubscribed_at", "=", False),
            (
                "partner_id",
                "any",
                [("id", ">", self.last_partner_id), ("active", "=", True)],
            ),
        ]

    def _enqueue(self):
        self.ensure_one()
        self.with_delay(
            identity_key=f"oda.programme.news:{self.id}:{self.last_partner_id}",
            description=self.name,
            channel="root.oda_crm",
        )._job_publish()

    def _job_publish(self):
        """Tell one batch. Rows of who was told and letters are one transaction:
        a crash at any line leaves both or none."""
        self.ensure_one()
        self.flush_recordset()
        # Whoever stops it meanwhile waits for this batch, or makes it be repeated.
        self.env.cr.execute(
            "SELECT state FROM oda_programme_news WHERE id = %s FOR UPDATE", (self.id,)
        )
        row = self.env.cr.fetchone()
        if not row or row[0] != "publishing":
            return
        page = self.env["oda.programme.follower"].search(
            self._follower_domain(), order="partner_id.id", limit=TELL_BATCH
        )
        last = page[-1:].partner_id.id
        self._tell(page.partner_id)
        values = {"last_partner_id": last or self.last_partner_id}
        if len(page) < TELL_BATCH:
            values["state"] = "published"
        self.sudo().write(values)  # sudo: as in `_publish`
        if self.state == "publishing":
            self._enqueue()

    def _tell(self, partners):
        """Tell those who were not told yet; write down what became of each."""
        # A lost race repeats the job; no error to log.
        self.env.cr.execute(_NOTICES, (self.id, partners.ids), log_exceptions=False)
        new = {row[0] for row in self.env.cr.fetchall()}
        partners = partners.filtered(lambda partner: partner.id in new)
        company = self.company_id or self.env.company
        for lang, group in partners.with_company(company).grouped("lang").items():
            news = self.with_context(lang=lang or self.env.lang)
            told = group._oda_tell_now(news.name, news.body, "news", news)
            for result, people in told.items():
                if people:
                    state = result if result in ("refused", "unreached") else "told"
                    self.env.cr.execute(
                        "UPDATE oda_programme_notice SET state = %s, channel = %s "
                        "WHERE news_id = %s AND partner_id = ANY(%s)",
                        (
                            state,
                            result if state == "told" else None,
                            self.id,
                            people.ids,
                        ),
                    )
        self.env["oda.programme.notice"].invalidate_model()

    @api.model
    def _cron_wake(self):
        """Go on with what a crash or a failed job has left standing."""
        for news in self.search([("state", "=", "publishing")]):
            news._enqueue()
        lists = self.env["oda.cold.list"].search([("state", "=", "making")])
        for cold_list in lists:
            cold_list._enqueue_make()
