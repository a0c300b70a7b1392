# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A million beneficiaries by plain SQL, and the numbers they have.

Beneficiary i (1 ... PEOPLE) has a main mobile number; three in ten have a second
one, of which one in a hundred is the main number of the next beneficiary.
"""

PEOPLE = 1_000_000
LEADS = 200_000
SESSIONS = 500_000

_FIRST = (
    "Ana Ion Maria Vasile Elena Andrei Natalia Mihai Doina Petru Lidia Sergiu Olga "
    "Victor Tatiana Nicolae Irina Gheorghe Ludmila Alexandru Cristina Dumitru Veronica"
).split()
_LAST = (
    "Rusu Ceban Lungu Munteanu Botnari Cojocaru Moraru Grosu Popa Țurcan Ciobanu "
    "Rotaru Sârbu Bălan Vieru Postolachi Guțu Cebotari Melnic Bejenaru Tcaci Roșca "
    "Ursu Plămădeală Negru Donica Stratan Caraman Bivol Gherman Zaharia"
).split()

# Tables that are filled; their indexes are made after the rows, as pg_restore does.
_TABLES = ("res_partner", "oda_phone", "crm_lead", "oda_consultation_session")

_INDEXES = """
CREATE TABLE oda_bench_index AS
SELECT indexname, indexdef FROM pg_indexes
 WHERE schemaname = 'public' AND tablename IN ({tables})
   AND indexname NOT IN (SELECT conname FROM pg_constraint);
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT * FROM oda_bench_index LOOP
    EXECUTE format('DROP INDEX %I', one.indexname);
  END LOOP; END $$;
"""
_INDEXES_BACK = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT * FROM oda_bench_index LOOP
    EXECUTE one.indexdef;
  END LOOP; END $$;
DROP TABLE oda_bench_index;
"""

_ROWS = """
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.main(i bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT '6' || lpad((i * 7919 % 9999991)::text, 7, '0') $$;
CREATE TABLE oda_bench_base AS SELECT max(id) AS id FROM res_partner;

CREATE TEMP TABLE agent AS
  SELECT row_number() OVER (ORDER BY login) - 1 AS place, user_id AS id
    FROM oda_pbx_user WHERE login LIKE 'bench%';

INSERT INTO res_partner
  (id, name, complete_name, phone, phone_sanitized, email, email_normalized, city,
   country_id, commercial_partner_id, active, partner_share, is_company, type, lang,
   color, oda_adviser_id, create_uid, create_date, write_uid, write_date)
SELECT b.id + i, name, name, phone, '+373' || n, mail, mail, 'Chișinău',
       (SELECT id FROM res_country WHERE code = 'MD'), b.id + i, true, true, false,
       'contact', 'ro_RO', 0,
       (SELECT id FROM agent WHERE place =
               CASE WHEN i % 2 = 0 AND i / 2 <= {sessions} THEN i / 2
                    WHEN i % 5 = 0 AND i / 5 <= {leads} THEN i / 5 END
               % (SELECT count(*) FROM agent)),
       1, at, 1, at
  FROM oda_bench_base b, generate_series(1, {people}) i,
       LATERAL (SELECT pg_temp.main(i) AS n) m,
       LATERAL (SELECT ({firsts})[i % {first_count} + 1] || ' '
                         || ({lasts})[i / 7 % {last_count} + 1] || ' ' || i AS name,
                       'om' || i || '@example.com' AS mail,
                       now() AT TIME ZONE 'UTC' - i * interval '20 s' AS at,
                       CASE i % 3
                         WHEN 0 THEN '+373 ' || substr(n, 1, 2) || ' '
                              || substr(n, 3, 3) || ' ' || substr(n, 6)
                         WHEN 1 THEN '0' || substr(n, 1, 2) || ' '
                              || substr(n, 3, 3) || ' ' || substr(n, 6)
                         ELSE '0' || n END AS phone) v;

INSERT INTO oda_phone
  (partner_id, raw, e164, digits, kind, label, is_primary, sequence,
   create_uid, create_date, write_uid, write_date)
SELECT p.id, p.phone, p.phone_sanitized, substr(p.phone_sanitized, 2), 'mobile',
       'mobile', true, 10, 1, p.create_date, 1, p.write_date
  FROM oda_bench_base b JOIN res_partner p ON p.id > b.id;

INSERT INTO oda_phone
  (partner_id, raw, e164, digits, kind, label, is_primary, sequence,
   create_uid, create_date, write_uid, write_date)
SELECT b.id + i, '0' || n, '+373' || n, '373' || n, 'mobile', 'work', false, 20,
       1, at, 1, at
  FROM oda_bench_base b, generate_series(1, {people}) i,
       LATERAL (SELECT i / 10 * 3 + i % 10 AS k,
                       now() AT TIME ZONE 'UTC' AS at) s,
       LATERAL (SELECT CASE WHEN k % 100 = 0 THEN pg_temp.main(i + 1)
                ELSE '79' || lpad((k::bigint * 7919 % 999983)::text, 6, '0')
                END AS n) v
 WHERE i % 10 < 3;

INSERT INTO crm_lead
  (name, type, active, partner_id, user_id, team_id, stage_id, company_id, won_status,
   priority, color, probability, create_uid, create_date, write_uid, write_date,
   date_open, date_last_stage_update)
SELECT 'Consultație ' || i, 'opportunity', true, b.id + i * 5, a.id, t.id, s.id, 1,
       'pending', '0', 0, 10, 1, at, 1, at, at, at
  FROM oda_bench_base b, generate_series(1, {leads}) i
  JOIN agent a ON a.place = i % (SELECT count(*) FROM agent),
       LATERAL (SELECT now() AT TIME ZONE 'UTC' - i * interval '30 s' AS at) v,
       (SELECT id FROM crm_team ORDER BY sequence, id LIMIT 1) t,
       (SELECT id FROM crm_stage ORDER BY sequence, id LIMIT 1) s;

INSERT INTO oda_consultation_session
  (partner_id, user_id, company_id, channel, direction, content, started_at, ended_at,
   create_uid, create_date, write_uid, write_date)
SELECT b.id + i * 2, a.id, 1, 'phone', 'in',
       'A întrebat despre program: ' || md5(i::text), at,
       at + interval '4 min', 1, at, 1, at
  FROM oda_bench_base b, generate_series(1, {sessions}) i
  JOIN agent a ON a.place = i % (SELECT count(*) FROM agent),
       LATERAL (SELECT now() AT TIME ZONE 'UTC' - i * interval '40 s' AS at) v;

SELECT setval('res_partner_id_seq', (SELECT max(id) FROM res_partner));
SET session_replication_role = origin;
"""


def load(psql):
    """Fill a database; ``psql(sql)`` runs a text as superuser."""
    tables = ", ".join(f"'{name}'" for name in _TABLES)
    psql(
        "SET maintenance_work_mem = '256MB'; SET synchronous_commit = off;"
        + _INDEXES.format(tables=tables)
        + _ROWS.format(
            people=PEOPLE,
            leads=LEADS,
            sessions=SESSIONS,
            firsts=f"ARRAY{_FIRST}",
            first_count=len(_FIRST),
            lasts=f"ARRAY{_LAST}",
            last_count=len(_LAST),
        )
        + _INDEXES_BACK
    )
    psql("VACUUM ANALYZE")


def main_number(i):
    """E.164 of beneficiary i, that one's alone when i % 10 is 5 ... 9."""
    return f"+3736{i * 7919 % 9_999_991:07d}"


def second_number(i):
    """E.164 of the second number of beneficiary i; i % 10 is 0, 1 or 2."""
    place = i // 10 * 3 + i % 10
    if place % 100 == 0:
        return main_number(i + 1)
    return f"+37379{place * 7919 % 999_983:06d}"


def unknown_number(i):
    """E.164 that nobody has; i below a million."""
    return f"+37378{i * 7919 % 999_983:06d}"
