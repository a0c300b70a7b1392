# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.modules.db import FunctionStatus
from odoo.tools import SQL, email_normalize

from odoo.addons.oda_base.phone import parse

from .. import identity

SHOWN_MAX = 5
TEXT_MAX = 200  # characters of a typed value that are looked at
NAME_MIN = 5  # a shorter name is close to everybody's
# Trigram similarity: in one locality two spellings of one name; anywhere, of a firm,
# nearly the same name.
CLOSE, SAME = 0.55, 0.8
EXACT = ("idnp", "idno", "phone", "email")


class ResPartner(models.Model):
    """Who is the same person or firm under another card."""

    _inherit = "res.partner"

    email_normalized = fields.Char(index="btree_not_null")

    @api.model
    @api.readonly
    def oda_find_duplicates(self, vals):
        """Cards that may be of the same person as what is being typed.

        :param dict vals: any of ``id`` (the card itself), ``name``, ``phone``,
            ``email``, ``oda_idnp``, ``oda_idno``, ``oda_locality_id``, ``is_company``,
            ``parent_id``; others are ignored
        :returns: at most five ``{"id", "name", "reasons", "active", "hidden"}``, surest
            first. A card that the caller may not see has ``id`` and ``name`` False and
            ``hidden`` True; nothing but an equal number or address reveals it.
        """
        if not self.env.user._is_internal() or not (
            self.has_access("create") or self.has_access("write")
        ):
            raise AccessError(self.env._("Only people who edit contacts may do this."))
        vals = self._oda_typed(vals)
        reasons = {}
        for reason, ids in self._oda_same(vals).items():
            for one in ids:
                reasons.setdefault(one, []).append(reason)
        found = self._oda_not_family(vals, list(reasons))
        seen = self.with_context(active_test=False).search_fetch(
            [("id", "in", found)], ["display_name", "active"]
        )
        answer = [
            {
                "id": partner.id,
                "name": partner.display_name,
                "reasons": sorted(reasons[partner.id], key=_rank),
                "active": partner.active,
                "hidden": False,
            }
            for partner in seen
        ]
        answer += self._oda_hidden(
            [one for one in found if one not in seen._ids], reasons
        )
        answer.sort(key=lambda one: _rank(one["reasons"][0]))
        return answer[:SHOWN_MAX]

    @api.model
    def _oda_typed(self, vals):
        """What came over RPC -> only known keys, of the right types."""
        vals = vals if isinstance(vals, dict) else {}
        texts = ("name", "phone", "email", "oda_idnp", "oda_idno")
        typed = {
            name: vals[name].strip()[:TEXT_MAX]
            for name in texts
            if isinstance(vals.get(name), str)
        }
        for name in ("id", "oda_locality_id", "parent_id"):
            number = vals.get(name)
            whole = isinstance(number, int) and not isinstance(number, bool)
            typed[name] = number if whole and 0 < number < 2**31 else False
        typed["is_company"] = bool(vals.get("is_company"))
        if not self._has_field_access(self._fields["oda_idnp"], "read"):
            typed.pop("oda_idnp", None)
        return typed

    @api.model
    def _oda_same(self, vals):
        """``{reason: ids}`` of the cards that agree with ``vals``; nobody's rights."""
        cards = self.sudo().with_context(active_test=False)  # sudo: ids only, see above
        found = {}
        for reason, name in (("idnp", "oda_idnp"), ("idno", "oda_idno")):
            if number := identity.normal(vals.get(name)):
                found[reason] = cards.search([(name, "=", number)], limit=20).ids
        phones = self.env["oda.phone"]
        if e164 := parse(vals.get("phone"), *phones._regions()).e164:
            # sudo: ids only, what is shown of them is asked with the caller's rights
            rows = phones.sudo().search_fetch(
                [("e164", "=", e164)], ["partner_id"], limit=20
            )
            found["phone"] = rows.partner_id.ids
        if email := email_normalize(vals.get("email") or "", strict=False):
            found["email"] = cards.search(
                [("email_normalized", "=", email)], limit=20
            ).ids
        if len(vals.get("name") or "") >= NAME_MIN:
            found["name"] = self._oda_close_names(vals)
        return found

    @api.model
    def _oda_close_names(self, vals):
        """Ids of active cards with a close name: in the locality, or of firms."""
        if not self.pool.has_trigram:
            return []
        where = [SQL("p.active"), SQL("p.id <> %s", vals["id"] or 0)]
        if vals["oda_locality_id"]:
            close = CLOSE
            where.append(SQL("p.oda_locality_id = %s", vals["oda_locality_id"]))
        elif vals["is_company"]:
            close = SAME
            where.append(SQL("p.is_company"))
        else:
            return []  # among a million people every name has its namesakes
        column, typed = SQL.identifier("p", "complete_name"), SQL("%s", vals["name"])
        if self.pool.has_unaccent == FunctionStatus.INDEXABLE:
            column, typed = self.pool.unaccent(column), self.pool.unaccent(typed)
        self.flush_model(["complete_name", "active", "oda_locality_id", "is_company"])
        self.env.cr.execute(
            "SELECT set_config('pg_trgm.similarity_threshold', %s, true)", (str(close),)
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT p.id FROM res_partner p"
                " WHERE %(column)s %% %(typed)s AND %(where)s"
                " ORDER BY similarity(%(column)s, %(typed)s) DESC, p.id"
                " LIMIT %(limit)s",
                column=column,
                typed=typed,
                where=SQL(" AND ").join(where),
                limit=SHOWN_MAX,
            )
        )
        return [one for (one,) in rows]

    @api.model
    def _oda_not_family(self, vals, ids):
        """Leave out the card itself, and its firm and contacts, who share numbers."""
        if not ids:
            return []
        family = {vals["id"], vals["parent_id"]} - {False}
        # sudo: only ties between the ids, nothing is shown
        cards = self.sudo().browse(ids)
        own = cards.search_fetch(
            Domain("id", "in", ids) & Domain("parent_id", "in", list(family)), []
        )
        return [one for one in ids if one not in family and one not in own._ids]

    @api.model
    def _oda_hidden(self, ids, reasons):
        """One entry for all cards that the caller may not see, if they surely agree.

        Of the caller's companies only: what another company keeps is not hinted at.
        """
        exact = [one for one in ids if set(reasons[one]) & set(EXACT)]
        # sudo: whether there is one; neither name nor id leaves the server
        known = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                Domain("id", "in", exact)
                & Domain("company_id", "in", [False, *self.env.companies.ids])
            )
        )
        if not known:
            return []
        why = {
            reason for one in known.ids for reason in reasons[one] if reason in EXACT
        }
        return [
            {
                "id": False,
                "name": False,
                "reasons": sorted(why, key=_rank),
                "active": True,
                "hidden": True,
            }
        ]

    def oda_merge_with(self, other_id):
        """Action: core's merge dialog over this card and another one."""
        self.ensure_one()
        other = self.browse(other_id).exists() if isinstance(other_id, int) else self
        pair = self | other
        if len(pair) < 2:
            raise AccessError(self.env._("The other card is gone: reload the page."))
        pair.check_access("write")
        self.env["base.partner.merge.automatic.wizard"].check_access("create")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "base.action_partner_merge"
        )
        action["context"] = {"active_model": "res.partner", "active_ids": pair.ids}
        return action


def _rank(reason):
    return EXACT.index(reason) if reason in EXACT else len(EXACT)
