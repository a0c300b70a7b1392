# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.modules.db import FunctionStatus

from ..phone import looks_like_number, parse
from .oda_phone import MIRRORING

LIKE = ("ilike", "like", "=ilike")
TRIGRAM = 3  # characters; shorter terms find no use in a trigram index
FEW = 500  # matches that are cheaper sorted by hand than met on the way


def _trigram(column):
    """Definition of a trigram index that an ``ilike`` of the ORM can use.

    A second index beside the btree, not ``index="trigram"``: the list is sorted
    by the btree on ``complete_name``, identifiers are compared by ``=``, and the
    ORM never replaces an index that exists under the same name. Without the empty
    values, that nobody searches; and with a short list of rows not yet sorted in,
    as every search reads that list from end to end.
    """

    def definition(registry):
        if not registry.has_trigram:
            return ""
        expression = f'"{column}"'
        if registry.has_unaccent == FunctionStatus.INDEXABLE:
            expression = registry.unaccent(expression)
        return (
            f"USING gin ({expression} gin_trgm_ops) "
            f'WITH (gin_pending_list_limit = 256) WHERE "{column}" IS NOT NULL'
        )

    return models.Index(definition)


class ResPartner(models.Model):
    """A contact has any number of phone numbers and is found by each of them."""

    _inherit = "res.partner"

    oda_phone_ids = fields.One2many("oda.phone", "partner_id", string="Phone Numbers")
    phone_sanitized = fields.Char(index="btree_not_null")

    # All five of _rec_names_search: one branch without an index is enough for the
    # whole OR to be answered by reading the table.
    _oda_complete_name_trgm = _trigram("complete_name")
    _oda_email_trgm = _trigram("email")
    _oda_ref_trgm = _trigram("ref")
    _oda_vat_trgm = _trigram("vat")
    _oda_company_registry_trgm = _trigram("company_registry")

    # ------------------------------------------------------------------- search
    @api.model
    def _search_display_name(self, operator, value):
        """A typed number, in any form, finds the people who have it.

        And a rare name is found at once among a million: see ``_oda_few``.
        """
        domain = self._oda_search_names(operator, value)
        if domain is NotImplemented or operator not in LIKE:
            return domain
        worth = isinstance(value, str) and len(value.strip()) >= TRIGRAM
        return self._oda_few(domain) if worth else domain

    @api.model
    def _oda_search_names(self, operator, value):
        domain = super()._search_display_name(operator, value)
        # "in" is what the ORM makes of "="
        known = operator in ("ilike", "like", "=", "in", "=ilike")
        if not known or domain is NotImplemented:
            return domain
        texts = value if operator == "in" else [value]
        phones = self.env["oda.phone"]
        numbers = [
            parse(text, *phones._regions()).e164
            for text in texts
            if isinstance(text, str) and looks_like_number(text)
        ]
        numbers = [e164 for e164 in numbers if e164]
        if not numbers or not phones.has_access("read"):
            return domain
        # Ids first, by the btree: a sub-query inside the OR would keep PostgreSQL
        # from combining the indexes of the other branches.
        found = phones.search_fetch([("e164", "in", numbers)], ["partner_id"])
        return Domain("id", "in", found.partner_id.ids) | Domain(domain)

    @api.model
    def _oda_few(self, domain):
        """The same domain, as a list of ids when only few cards match.

        Everybody searches with an order and a limit, and PostgreSQL, which guesses that
        any text matches often enough, walks the names in order until the limit is met:
        for a rare name through the whole table. Without an order it takes the trigram
        indexes. Many matches stay a condition: there the walk is short indeed.
        """
        # sudo: ids for a condition; rules and archived cards are the search's business
        cards = self.sudo().with_context(active_test=False)
        ids = cards._search(domain, limit=FEW + 1).get_result_ids()
        return Domain("id", "in", ids) if len(ids) <= FEW else domain

    # --------------------------------------------------------------------- CRUD
    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        if not self.env.context.get(MIRRORING):
            partners.filtered("phone")._oda_mirror_phone()
        return partners

    def write(self, vals):
        if self.env.context.get(MIRRORING):
            return super().write(vals)
        typed = vals.get("phone")
        both = "phone" in vals and "oda_phone_ids" in vals
        if both and not _stars(vals["oda_phone_ids"]):
            # The list is saved along with the field, and makes no number the main
            # one: what was typed in the field holds, and goes first.
            self.write({"phone": typed})
            vals = {key: value for key, value in vals.items() if key != "phone"}
        result = super().write(vals)
        if "phone" in vals:
            self._oda_mirror_phone()
        elif both and typed:
            lost = self.filtered(lambda partner: partner.phone != typed)
            if lost:  # the list removed the row that the field had just filled
                lost.write({"phone": typed})
        if "country_id" in vals:
            self._oda_reparse_phones()
        return result

    @api.onchange("oda_phone_ids")
    def _onchange_oda_phone_ids(self):
        starred = self.oda_phone_ids.filtered(
            lambda row: row.is_primary and not row._origin.is_primary
        )[-1:]
        if starred:
            (self.oda_phone_ids - starred).is_primary = False
        main = starred or self.oda_phone_ids.filtered("is_primary")[:1]
        if main.raw:
            self.phone = main.raw

    def _phone_format_number(
        self, number, country, force_format="E164", raise_exception=False
    ):
        """Show numbers here as everywhere in the suite: +373 69 123 456."""
        shown = super()._phone_format_number(
            number, country, force_format, raise_exception
        )
        if shown and force_format == "INTERNATIONAL":
            return parse(shown).international
        return shown

    # ------------------------------------------------------------------- mirror
    def _oda_mirror_phone(self):
        """``phone`` -> the primary row of ``oda.phone``, for the whole recordset.

        A number the contact already has becomes primary; another one replaces the
        text of the primary row, as it replaced the text of the field; an empty
        field removes the primary row only. One query to read, one to insert.
        """
        # sudo: the row mirrors a field that the user was just allowed to write
        phones = self.env["oda.phone"].sudo().with_context(**{MIRRORING: True})
        rows = phones.search([("partner_id", "in", self.ids)]).grouped("partner_id")
        drop, demote, promote, new = [], [], [], []
        for partner in self:
            mine = rows.get(partner, phones.browse())
            primary = mine.filtered("is_primary")
            text = (partner.phone or "").strip()
            if not text:
                drop += primary.ids
                continue
            row = mine._oda_same(parse(text, *phones._regions(partner)), text)
            if not row:
                row = primary[:1]
            if not row:
                new.append({"partner_id": partner.id, "raw": text, "is_primary": True})
                continue
            if row.raw != text:
                row.raw = text
            if not row.is_primary:
                promote.append(row.id)
            demote += (primary - row).ids
        if drop:
            phones.browse(drop).unlink()
        if demote:
            phones.browse(demote).write({"is_primary": False})
        if promote:
            phones.browse(promote).write({"is_primary": True})
        if new:
            phones.create(new)

    def _oda_phone_rows_changed(self, starred, added=False, orphans=None):
        """Rows of ``oda.phone`` -> one primary a contact, and ``phone`` after it.

        :param starred: rows that were just made primary; the last of a contact wins
        :param added: rows were added, so the first may become primary
        :param orphans: partners whose primary row was removed: the next one follows
        """
        if added:
            # a number typed in the field, not yet in the list, must not be lost
            self._oda_keep_phone()
        phones = self.env["oda.phone"].with_context(**{MIRRORING: True})
        rows = phones.search([("partner_id", "in", self.ids)]).grouped("partner_id")
        demote, promote, texts = [], [], {}
        for partner in self:
            mine = rows.get(partner, phones.browse())
            primary = mine.filtered("is_primary")
            row = (
                (mine & starred)[-1:]
                or primary.filtered(lambda row, text=partner.phone: row.raw == text)[:1]
                or primary[:1]
                or mine.filtered(lambda row, text=partner.phone: row.raw == text)[:1]
            )
            if not row and (added or (orphans and partner in orphans)):
                row = mine[:1]
            if row and not row.is_primary:
                promote.append(row.id)
            demote += (primary - row).ids
            if row or (orphans and partner in orphans):
                texts[partner] = row.raw or False
        if demote:
            phones.browse(demote).write({"is_primary": False})
        if promote:
            phones.browse(promote).write({"is_primary": True})
        self._oda_set_phone(texts)

    def _oda_set_phone(self, texts):
        """Write ``phone`` (``{partner: text}``) where it differs, without an echo."""
        for partner, text in texts.items():
            if (partner.phone or False) != (text or False):
                partner.with_context(**{MIRRORING: True}).write({"phone": text})

    def _oda_keep_phone(self):
        """Give a row to each ``phone`` that has none, primary if there is no other."""
        # sudo: the row mirrors a field of a contact whose numbers were just written
        phones = self.env["oda.phone"].sudo().with_context(**{MIRRORING: True})
        rows = phones.search([("partner_id", "in", self.ids)]).grouped("partner_id")
        new = []
        for partner in self.filtered("phone"):
            mine = rows.get(partner, phones.browse())
            text = partner.phone.strip()
            if text and not mine._oda_same(
                parse(text, *phones._regions(partner)), text
            ):
                first = not any(mine.mapped("is_primary"))
                new.append({"partner_id": partner.id, "raw": text, "is_primary": first})
        if new:
            phones.create(new)

    def _oda_reparse_phones(self):
        """The country changed: numbers that were not understood may be now."""
        phones = self.env["oda.phone"].sudo()  # sudo: derived from the country
        rows = phones.search([("partner_id", "in", self.ids)])
        known = {(row.partner_id.id, row.e164) for row in rows if row.e164}
        again = []
        for row in rows.filtered(lambda row: row.kind == "invalid"):
            e164 = parse(row.raw, *phones._regions(row.partner_id)).e164
            if e164 and (row.partner_id.id, e164) not in known:
                known.add((row.partner_id.id, e164))
                again.append(row.id)
        for name in ("e164", "digits", "kind") if again else ():
            self.env.add_to_compute(phones._fields[name], phones.browse(again))


def _stars(commands):
    """True when one2many commands make a number the primary one."""
    return any(
        len(command) > 2
        and isinstance(command[2], dict)
        and command[2].get("is_primary")
        for command in commands or ()
    )
