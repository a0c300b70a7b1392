# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..drivers.faults import fault_of

PRESENCES = ("available", "busy", "dnd", "offline", "unknown")


class OdaPbxUser(models.Model):
    """Who can be reached now: what the exchange and its calls say of each phone."""

    _inherit = "oda.pbx.user"

    presence = fields.Selection(
        [
            ("available", "Available"),
            ("busy", "In a call"),
            ("dnd", "Do not disturb"),
            ("offline", "Phone is off"),
            ("unknown", "Not known"),
        ],
        default="unknown",
        required=True,
        readonly=True,
        copy=False,
    )
    presence_at = fields.Datetime(string="Presence since", readonly=True, copy=False)
    # "Do not disturb" outlives a call made during it.
    silent = fields.Boolean(string="Do not disturb", readonly=True, copy=False)
    silent_wanted = fields.Selection(
        [("on", "Being switched on"), ("off", "Being switched off")],
        string="Asked of the exchange",
        readonly=True,
        copy=False,
    )
    silent_words = fields.Char(string="Last answer", readonly=True, copy=False)
    can_silence = fields.Boolean(compute="_compute_can_silence")
    dialled_at = fields.Datetime(string="Last dialled", readonly=True, copy=False)

    def _compute_can_silence(self):
        for line in self:
            # sudo: whether the exchange knows the command
            line.can_silence = line.sudo().account_id._pbx_can("dnd")

    # === WHAT IS HEARD ===#

    @api.model
    def _set_presence(self, account, presences, at=None, of_calls=False):
        """Note how phones are, as the exchange tells.

        :param account: `oda.connector.account` or its plain `Account`
        :param dict presences: `{login: one of PRESENCES}`; unknown logins are left out
        :param datetime at: naive UTC; older news than known is not taken
        :param bool of_calls: read off the calls, not said by the exchange: the end of
            a call says nothing about "do not disturb"
        """
        at = at or fields.Datetime.now()
        rows = [
            (login, presence)
            for login, presence in presences.items()
            if presence in PRESENCES
        ]
        if not rows:
            return
        # One statement, and no row is touched that stays as it is.
        self.env.cr.execute(
            """
            UPDATE oda_pbx_user p
               SET presence = n.next, presence_at = %(at)s,
                   silent = CASE WHEN n.told = 'dnd' THEN TRUE
                                 WHEN n.told = 'available' AND %(direct)s THEN FALSE
                                 ELSE p.silent END
              FROM (SELECT u.id, v.told,
                           CASE WHEN v.told = 'available' AND u.silent
                                     AND NOT %(direct)s THEN 'dnd'
                                ELSE v.told END AS next
                      FROM unnest(%(logins)s, %(told)s) AS v(login, told)
                      JOIN oda_pbx_user u
                        ON u.account_id = %(account)s AND u.login = v.login) n
             WHERE p.id = n.id
               AND (p.presence IS DISTINCT FROM n.next
                    OR n.told = 'dnd' AND p.silent IS NOT TRUE)
               AND (p.presence_at IS NULL OR p.presence_at <= %(at)s)
            """,
            {
                "at": at,
                "account": account.id,
                "logins": [login for login, _presence in rows],
                "told": [presence for _login, presence in rows],
                "direct": not of_calls,
            },
            log_exceptions=False,
        )
        self.invalidate_model(["presence", "presence_at", "silent"])

    @api.model
    def _presence_of_calls(self, account, works):
        """Read off the calls just stored who talks and who has hung up."""
        now = {}
        for work in works:
            for leg in work.state.legs.values():
                if not leg.person:
                    continue
                before = work.stored and work.stored.legs.get(leg.user)
                talked = bool(before) and before.state == "talking"
                talks = leg.state == "talking"
                if talks and not talked:
                    now[leg.user] = "busy"
                elif talked and not talks:
                    now.setdefault(leg.user, "available")
        if now:
            self._set_presence(account, now, of_calls=True)

    # === "DO NOT DISTURB" ===#

    @api.model
    def get_my_lines(self):
        """Return `[{id, login, presence, silent, wanted, can_silence, words}]`.

        The user's own phones, for the menu of calls.
        """
        # sudo: one's own lines, whatever else one may read
        lines = self.sudo().search(
            [("user_id", "=", self.env.uid), ("account_id.active", "=", True)]
        )
        return [line._for_menu() for line in lines]

    def _for_menu(self):
        self.ensure_one()
        return {
            "id": self.id,
            "login": self.login,
            "presence": self.presence,
            "silent": self.silent,
            "wanted": self.silent_wanted or "",
            "can_silence": self.can_silence,
            "words": self.silent_words or "",
        }

    def set_silent(self, on):
        """Ask the exchange to let a phone ring or not; one's own, or as team lead.

        :param bool on: True is "do not disturb"
        :return: as one row of :meth:`get_my_lines`
        """
        self.ensure_one()
        # sudo: one's own line is known to its person in any company
        line = self.sudo().exists()
        if not line:
            raise UserError(self.env._("This phone is not on the list any more."))
        own = line.user_id == self.env.user
        if not own:
            self.check_access("read")
            if not self.env.user.has_groups("oda_base.group_lead,oda_base.group_admin"):
                raise AccessError(
                    self.env._("Only the person or a team lead may switch that.")
                )
        if not line.can_silence:
            raise UserError(
                line.account_id.with_env(self.env)._pbx_words("unsupported")
            )
        on = bool(on)
        line.write({"silent_wanted": "on" if on else "off", "silent_words": False})
        payload = {"login": line.login, "on": on}
        self.env["oda.outbound"]._enqueue(line.account_id, "dnd", payload, line)
        if not own:
            self.env["oda.event"]._log("pbx.silence", line, on=on)
        return line._for_menu()

    def action_silence(self):
        """The exchange does not ring these phones any more."""
        for line in self:
            line.set_silent(True)

    def action_unsilence(self):
        for line in self:
            line.set_silent(False)

    def _oda_sent(self, row):
        """The outbox tells what became of a switch."""
        self.ensure_one()
        # sudo: the jobs' user only reads the list of logins
        line = self.sudo()
        wanted = row.payload or {}
        if row.verb != "dnd" or row.state not in ("done", "failed"):
            return
        if wanted.get("on") != (line.silent_wanted == "on"):
            return  # pressed again meanwhile: the later message tells
        line.silent_wanted = False
        if row.state == "done":
            told = "dnd" if wanted["on"] else "available"
            self._set_presence(line.account_id, {line.login: told})
        else:
            words = line.with_context(lang=line.user_id.lang)
            line.silent_words = words.account_id._pbx_words(fault_of(row.words))
        line.user_id._bus_send("oda_telephony.line", line._for_menu())
