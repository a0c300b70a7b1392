# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.tools import SQL

from .res_partner_card import TICKS

KEPT = ("oda_size_class", "oda_idnp")  # of the target, else of the first that has it

# Unique keys that hold a link to a partner: (table, column, columns of the key,
# predicate). Core, when one of many rows meets such a key, deletes all of them.
_UNIQUE_KEYS = """
SELECT t.relname, a.attname, array_agg(o.attname::text ORDER BY o.attnum),
       pg_get_expr(i.indpred, i.indrelid)
  FROM pg_constraint f
  JOIN pg_class t ON t.oid = f.conrelid
  JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
  JOIN pg_index i ON i.indrelid = f.conrelid AND i.indisunique AND i.indexprs IS NULL
                 AND a.attnum = ANY(i.indkey::smallint[])
  JOIN pg_attribute o ON o.attrelid = f.conrelid AND o.attnum <> a.attnum
                     AND o.attnum = ANY(i.indkey::smallint[])
 WHERE f.contype = 'f' AND f.confrelid = 'res_partner'::regclass
   AND array_length(f.conkey, 1) = 1
   AND t.relnamespace = current_schema::regnamespace
   AND t.relname NOT LIKE 'base_partner_merge%%'
 GROUP BY t.relname, a.attname, i.indexrelid, i.indpred, i.indrelid
"""


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Two cards become one and nothing that was said or done is lost.

    Who last spoke with either of two merged people is the adviser of the one. And
    whoever of them has a name gives it: a stranger's card is called after its
    number, and core would take over that the name is not known yet.
    """

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys_generic(self, model, src_records, dst_record):
        if model == "res.partner":
            self._oda_drop_doubles(src_records, dst_record)
        return super()._update_foreign_keys_generic(model, src_records, dst_record)

    @api.model
    def _update_reference_fields_generic(
        self, referenced_model, src_records, dst_record, additional_update_records=None
    ):
        if referenced_model == "res.partner":
            self._oda_keep_references(src_records, dst_record)
        return super()._update_reference_fields_generic(
            referenced_model, src_records, dst_record, additional_update_records
        )

    @api.model
    def _update_values(self, src_partners, dst_partner):
        stranger = dst_partner.oda_is_new
        named = src_partners.filtered(lambda one: not one.oda_is_new)[-1:]
        # sudo: one card's facts move to the other; who may merge is core's to say
        known = (dst_partner | src_partners).sudo()
        ticks = {name: True for name in TICKS if any(known.mapped(name))}
        facts = {name: next(filter(None, known.mapped(name)), False) for name in KEPT}
        done = super()._update_values(src_partners, dst_partner)
        if not stranger:
            dst_partner.oda_is_new = False
        elif named:
            dst_partner.write({"name": named.name, "oda_is_new": False})
        # Computed from what was just written, but somebody may have corrected them;
        # and the personal number, which not everybody who merges may read.
        facts = {name: value for name, value in facts.items() if value}
        dst_partner.sudo().write({**ticks, **facts})  # sudo: as above
        dst_partner._oda_refresh_adviser()
        return done

    def _log_merge_operation(self, src_partners, dst_partner):
        self.env["oda.event"]._log(
            "partner.merge", dst_partner, merged=src_partners.ids
        )
        return super()._log_merge_operation(src_partners, dst_partner)

    @api.model
    def _oda_drop_doubles(self, src_records, dst_record):
        """Remove, of rows that would become equal, all but one.

        The row of the target stays, else that of the oldest source. What remains can
        be re-pointed as a whole, so core has no reason to delete what met a key.
        """
        self.env.flush_all()
        self.env.cr.execute(_UNIQUE_KEYS)
        for table, column, others, predicate in self.env.cr.fetchall():
            link = SQL.identifier(column)
            same = SQL(", ").join(SQL.identifier(name) for name in others)
            known = SQL(" AND ").join(
                SQL("%s IS NOT NULL", SQL.identifier(name)) for name in others
            )
            if predicate:  # of the index, out of the catalogue
                known = SQL("%s AND (" + predicate.replace("%", "%%") + ")", known)
            self.env.execute_query(
                SQL(
                    "DELETE FROM %(table)s WHERE ctid IN (SELECT ctid FROM (SELECT"
                    " ctid, %(link)s AS link, row_number() OVER (PARTITION BY %(same)s"
                    " ORDER BY %(link)s = %(target)s DESC, %(link)s) AS place"
                    " FROM %(table)s WHERE %(link)s IN %(ids)s AND %(known)s) ranked"
                    " WHERE place > 1 AND link <> %(target)s) RETURNING 1",
                    table=SQL.identifier(table),
                    link=link,
                    same=same,
                    target=dst_record.id,
                    ids=(*src_records.ids, dst_record.id),
                    known=known,
                )
            )

    @api.model
    def _oda_keep_references(self, src_records, dst_record):
        """Re-point what hangs on a source by model and id, and core would lose.

        Done tasks are archived, so core does not find them and deletes them with the
        source; of followers one double is enough for it to delete all.
        """
        self.env.flush_all()
        params = {"ids": tuple(src_records.ids), "target": dst_record.id}
        self.env.cr.execute(
            "UPDATE mail_activity SET res_id = %(target)s "
            "WHERE res_model = 'res.partner' AND res_id IN %(ids)s",
            params,
        )
        self.env.cr.execute(
            """
            WITH ranked AS (
                SELECT id, row_number() OVER (
                           PARTITION BY partner_id
                           ORDER BY res_id = %(target)s DESC, id) AS place
                  FROM mail_followers
                 WHERE res_model = 'res.partner'
                   AND (res_id IN %(ids)s OR res_id = %(target)s)
            )
            DELETE FROM mail_followers f USING ranked r
             WHERE f.id = r.id AND r.place > 1
            """,
            params,
        )
        self.env.cr.execute(
            "UPDATE mail_followers SET res_id = %(target)s "
            "WHERE res_model = 'res.partner' AND res_id IN %(ids)s",
            params,
        )
        self.env.invalidate_all(flush=False)
