# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from psycopg2.extras import execute_values

from odoo import api, models

from ..phone import DEFAULT_REGION, parse


class OdaPhone(models.Model):
    """Numbers of many people at once: given, filled in, handed over."""

    _inherit = "oda.phone"

    @api.model
    def _add(self, pairs):
        """Give numbers to people; a number somebody already has is left alone.

        :param pairs: list of ``(partner_id, raw)``; at most one query to look and
            one insert, whatever the length
        :returns: the rows, in the order of ``pairs`` (an anonymous or empty number
            gives none)
        """
        wanted = []
        partners = self.env["res.partner"].browse({pair[0] for pair in pairs})
        regions = {partner.id: self._regions(partner) for partner in partners}
        for partner_id, raw in pairs:
            number = parse(raw, *regions[partner_id])
            if number.kind != "anonymous":
                key = number.e164 or number.international
                wanted.append((partner_id, key, number.international))
        have = self._by_key(partners)
        new = dict.fromkeys(key[:2] for key in wanted if key[:2] not in have)
        texts = {key[:2]: key[2] for key in reversed(wanted)}
        rows = self.create([{"partner_id": key[0], "raw": texts[key]} for key in new])
        have.update(zip(new, rows, strict=True))
        return self.browse(dict.fromkeys(have[key[:2]].id for key in wanted))

    @api.model
    def _by_key(self, partners):
        """``{(partner id, e164 or raw): row}`` of the numbers of ``partners``."""
        rows = self.search([("partner_id", "in", partners.ids)])
        return {(row.partner_id.id, row.e164 or row.raw): row for row in rows}

    @api.model
    def _backfill(self, batch=5000):
        """Give every partner with a phone its primary row. Returns rows written.

        Set-based, by ranges of id; a partner that has its primary row is passed
        over, so it may be stopped and run again at any time. Archived partners
        are included: they come back with their number.
        """
        self.env.flush_all()
        cr, last, written = self.env.cr, 0, 0
        company_region = self._regions()[0]
        while True:
            cr.execute(
                """
                SELECT p.id, p.phone, c.code
                  FROM res_partner p
             LEFT JOIN res_country c ON c.id = p.country_id
                 WHERE p.id > %s AND p.phone <> ''
              ORDER BY p.id LIMIT %s
                """,
                (last, batch),
            )
            partners = cr.fetchall()
            if not partners:
                break
            # A query of its own: as an anti-join PostgreSQL, whose statistics still
            # say that the table is empty, would read it once for every partner.
            cr.execute(
                "SELECT partner_id FROM oda_phone WHERE is_primary"
                " AND partner_id BETWEEN %s AND %s",
                (partners[0][0], partners[-1][0]),
            )
            done = {partner_id for (partner_id,) in cr.fetchall()}
            last = partners[-1][0]
            rows = []
            for partner_id, phone, country in partners:
                if partner_id in done:
                    continue
                first = country or company_region
                second = "RO" if first == DEFAULT_REGION else DEFAULT_REGION
                number = parse(phone, first, second)
                raw = phone.strip()
                if raw:
                    rows.append(
                        (partner_id, raw, number.e164, number.digits, number.kind)
                    )
            written += self._backfill_insert(rows)
        self.env.invalidate_all(flush=False)
        return written

    @api.model
    def _backfill_insert(self, rows):
        if not rows:
            return 0
        execute_values(
            self.env.cr._obj,
            """
            INSERT INTO oda_phone (partner_id, raw, e164, digits, kind, is_primary,
                                   sequence, create_uid, create_date,
                                   write_uid, write_date)
            VALUES %s
            ON CONFLICT (partner_id, e164) WHERE e164 IS NOT NULL
                DO UPDATE SET is_primary = true, raw = excluded.raw
            """,
            rows,
            template=self.env.cr.mogrify(
                "(%%s, %%s, %%s, %%s, %%s, true, 10, %s, %s, %s, %s)",
                (self.env.uid, self.env.cr.now()) * 2,
            ).decode(),
            page_size=len(rows),
        )
        return len(rows)

    @api.model
    def _merge_partners(self, sources, target):
        """Hand the numbers of ``sources`` over to ``target``; none is lost.

        Called before core re-points the foreign keys, which deletes or fails where
        a unique key is met. Of two equal numbers the row of the target stays, and
        takes the label and note it has not got.
        """
        (sources | target)._oda_mirror_phone()
        self.env.flush_all()
        params = {"ids": (*sources.ids, target.id), "target": target.id}
        self.env.cr.execute(
            """
            WITH ranked AS (
                SELECT id, label, note,
                       first_value(id) OVER same AS keep,
                       row_number() OVER same AS place
                  FROM oda_phone
                 WHERE partner_id IN %(ids)s
                WINDOW same AS (PARTITION BY COALESCE(e164, raw)
                                ORDER BY partner_id = %(target)s DESC,
                                         is_primary DESC NULLS LAST, id)
            ), dropped AS (
                DELETE FROM oda_phone d USING ranked r
                 WHERE d.id = r.id AND r.place > 1
            )
            UPDATE oda_phone k
               SET label = COALESCE(k.label, r.label),
                   note = CASE WHEN k.note = r.note THEN k.note
                               ELSE concat_ws('; ', k.note, r.note) END
              FROM (SELECT keep, min(label) AS label,
                           string_agg(DISTINCT note, '; ') AS note
                      FROM ranked WHERE place > 1 GROUP BY keep) r
             WHERE k.id = r.keep
            """,
            params,
        )
        self.env.cr.execute(
            """
            UPDATE oda_phone SET partner_id = %(target)s, is_primary = false
             WHERE partner_id IN %(ids)s AND partner_id <> %(target)s
            """,
            params,
        )
        self.env.invalidate_all(flush=False)
