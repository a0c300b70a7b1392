# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the consultations' bench puts on a copy of the million, by plain SQL.

Consultation i (1 ... LEADS) is of beneficiary 5 i and of agent i % 20, whose flow is
(i % 20) % 3: eight in ten are open, in all stages of their flow, each with a task
due in working hours; the others are won or lost. Rows are such as the addons write
them: flags, day beside time, results of what is done, stored copies.
"""

from .million import _INDEXES, _INDEXES_BACK

LEADS = 100_000
TASKS = 300_000
#: nobody else among the million is called like this
RARE = "Tărâță-Xenopol"
COMMON = "Munteanu"
FLOWS = ("ads", "cold", "department")
#: sessions and tasks of the two cards that are compared
FEW, MANY = 3, 30

_TABLES = ("crm_lead", "mail_activity", "mail_message", "crm_tag_rel")

_PEOPLE = """
SET session_replication_role = replica;
SET synchronous_commit = off;
UPDATE res_partner p SET
    oda_gender = CASE WHEN i % 2 = 0 THEN 'female' ELSE 'male' END,
    oda_is_woman = i % 2 = 0,
    oda_birth_year = 1950 + i % 55,
    oda_locality_id = place[i % cardinality(place) + 1],
    oda_is_rural = i % 3 = 0,
    oda_legal_form = (ARRAY['srl', 'ii', 'gt', 'person'])[i % 4 + 1],
    oda_staff = i % 60,
    oda_size_class = CASE WHEN i % 60 < 10 THEN 'micro'
                          WHEN i % 60 < 50 THEN 'small' ELSE 'medium' END
  FROM (SELECT b.id + k * 5 AS id, k / 5 AS i
          FROM oda_bench_base b, generate_series(1, 200000) k) v,
       (SELECT array_agg(id ORDER BY id) AS place FROM oda_locality) l
 WHERE p.id = v.id;
UPDATE res_partner p SET name = n, complete_name = n
  FROM oda_bench_base b,
       LATERAL (SELECT 'Eufrosina {rare} ' || k AS n, b.id + k * 100003 AS id
                  FROM generate_series(1, 3) k) v
 WHERE p.id = v.id;
INSERT INTO res_partner_res_partner_category_rel (category_id, partner_id)
SELECT (SELECT min(id) FROM res_partner_category), b.id + k * 30
  FROM oda_bench_base b, generate_series(1, 30000) k ON CONFLICT DO NOTHING;
INSERT INTO oda_programme_follower
  (partner_id, programme_id, source, since, create_uid, create_date, write_uid,
   write_date)
SELECT b.id + k * 20, (SELECT min(id) FROM oda_programme), 'asked', at, 1, at, 1, at
  FROM oda_bench_base b, generate_series(1, 50000) k,
       LATERAL (SELECT now() AT TIME ZONE 'UTC' - k * interval '3 min' AS at) v;
INSERT INTO event_registration
  (event_id, partner_id, company_id, name, email, state, active, create_uid,
   create_date, write_uid, write_date)
SELECT e.id, p.id, 1, p.name, p.email, 'open', true, 1, now() AT TIME ZONE 'UTC', 1,
       now() AT TIME ZONE 'UTC'
  FROM oda_bench_base b, generate_series(1, 20000) k
  JOIN res_partner p ON p.id = (SELECT id FROM oda_bench_base) + k * 40,
       (SELECT min(id) AS id FROM event_event) e;
"""

_LEADS = """
SET session_replication_role = replica;
SET synchronous_commit = off;
DELETE FROM crm_lead_scoring_frequency;
DELETE FROM crm_lead l USING oda_bench_base b
 WHERE l.partner_id > b.id AND l.name LIKE 'Consultație %';
CREATE TABLE oda_bench_agent AS
  SELECT row_number() OVER (ORDER BY p.login) - 1 AS place, p.user_id AS id,
         u.partner_id
    FROM oda_pbx_user p JOIN res_users u ON u.id = p.user_id
   WHERE p.login LIKE 'bench%';
CREATE TABLE oda_bench_stage AS
  SELECT f.place, t.id AS team_id, s.id AS stage_id, s.is_won IS TRUE AS is_won,
         row_number() OVER (PARTITION BY f.place, s.is_won IS TRUE
                            ORDER BY s.sequence, s.id) - 1 AS step,
         count(*) OVER (PARTITION BY f.place, s.is_won IS TRUE) AS steps
    FROM unnest(ARRAY{flows}) WITH ORDINALITY AS f(kind, place)
    JOIN crm_team t ON t.oda_kind = f.kind
    JOIN crm_stage_crm_team_rel r ON r.crm_team_id = t.id
    JOIN crm_stage s ON s.id = r.crm_stage_id;
CREATE TABLE oda_bench_lead AS
  SELECT nextval('crm_lead_id_seq')::int AS id, i, b.id + i * 5 AS partner_id,
         a.id AS user_id, a.partner_id AS author_id, v.*, s.team_id, s.stage_id,
         s.step
    FROM generate_series({leads}, 1, -1) i
   CROSS JOIN oda_bench_base b
    JOIN oda_bench_agent a ON a.place = i % 20,
         LATERAL (SELECT now() AT TIME ZONE 'UTC' - i * interval '5 min' AS at,
                         i / 20 % 50 < 40 AS open, i / 20 % 50 BETWEEN 40 AND 46 AS won)
           v
    JOIN LATERAL (SELECT * FROM oda_bench_stage s
                   WHERE s.place = i % 20 % 3 + 1 AND s.is_won = v.won
                     AND s.step = (i / 20) % s.steps) s ON true;
INSERT INTO crm_lead
  (id, name, type, active, partner_id, user_id, team_id, stage_id, company_id,
   won_status, priority, color, probability, automated_probability, expected_revenue,
   prorated_revenue, contact_name, email_from, email_normalized, phone,
   phone_sanitized, city, country_id, day_open, date_closed, oda_next_step_missing,
   oda_stale_level, lead_properties, create_uid, create_date, write_uid, write_date,
   date_open, date_last_stage_update)
SELECT l.id, 'Consultația ' || l.i, 'opportunity', l.open OR l.won, p.id, l.user_id,
       l.team_id, l.stage_id, 1,
       CASE WHEN l.open THEN 'pending' WHEN l.won THEN 'won' ELSE 'lost' END,
       (l.i % 23 / 20)::text, l.i % 12, c.chance, c.chance, l.i % 97 * 1000,
       l.i % 97 * 10 * c.chance, p.name, p.email, p.email_normalized, p.phone,
       p.phone_sanitized, p.city, p.country_id, 0,
       CASE WHEN NOT l.open THEN moved END, false, 0,
       CASE WHEN l.step > 0 OR l.won OR l.i % 3 = 0
            THEN jsonb_build_object('plan', 'Planul de afaceri ' || l.i,
                                    'jobs', l.i % 9) END,
       1, l.at, 1, moved, l.at, moved
  FROM oda_bench_lead l JOIN res_partner p ON p.id = l.partner_id,
       LATERAL (SELECT CASE WHEN l.open THEN 10 + 15 * l.step WHEN l.won THEN 100
                            ELSE 0 END AS chance,
                       least(l.at + l.i % 11 * interval '1 day',
                             now() AT TIME ZONE 'UTC') AS moved) c;
INSERT INTO crm_tag_rel (lead_id, tag_id)
SELECT l.id, t.tags[l.i % cardinality(t.tags) + 1] FROM oda_bench_lead l,
       (SELECT array_agg(id ORDER BY id) AS tags FROM crm_tag) t WHERE l.i % 2 = 0;
"""

# Working days of the week around a day, at full hours from nine to sixteen.
_TASKS = """
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE FUNCTION pg_temp.working_day(day date) RETURNS date LANGUAGE sql IMMUTABLE AS
  $$ SELECT day - greatest(extract(isodow FROM day)::int - 5, 0) $$;
CREATE TABLE oda_bench_task AS
  SELECT l.id AS lead_id, l.i, l.user_id, k, true AS open,
         pg_temp.working_day(current_date + (l.i + k) % 25 - 8) AS day
    FROM oda_bench_lead l, generate_series(1, 2) k
   WHERE l.open AND (k = 1 OR l.i % 2 = 0)
  UNION ALL
  SELECT l.id, l.i, l.user_id, k, false,
         pg_temp.working_day((l.at + (l.i + k) % 6 * interval '1 day')::date)
    FROM oda_bench_lead l, generate_series(1, 2) k
   WHERE k = 1 OR l.i % 5 > 0;
INSERT INTO mail_activity
  (res_model_id, res_model, res_id, res_name, activity_type_id, summary, user_id,
   date_deadline, oda_due_at, user_tz, active, automated, feedback, oda_outcome,
   oda_done_at, date_done, create_uid, create_date, write_uid, write_date)
SELECT m.id, 'crm.lead', t.lead_id, 'Consultația ' || t.i, y.id, 'Pasul ' || t.k,
       t.user_id, t.day, v.due, 'Europe/Chisinau', t.open, false,
       CASE WHEN NOT t.open
            THEN 'S-a discutat, documentele vin: ' || t.i || '/' || t.k END,
       CASE WHEN NOT t.open THEN 'done' END, CASE WHEN NOT t.open THEN v.due END,
       CASE WHEN NOT t.open THEN t.day END, 1, v.due - interval '2 day', 1, v.due
  FROM oda_bench_task t,
       (SELECT id FROM ir_model WHERE model = 'crm.lead') m,
       (SELECT res_id AS id FROM ir_model_data
         WHERE module = 'mail' AND name = 'mail_activity_data_call') y,
       LATERAL (SELECT (t.day + (9 + t.i % 8) * interval '1 hour')
                       AT TIME ZONE 'Europe/Chisinau' AT TIME ZONE 'UTC' AS due) v;
INSERT INTO mail_message
  (model, res_id, author_id, subtype_id, message_type, body, date, create_uid,
   create_date, write_uid, write_date)
SELECT 'crm.lead', l.id, l.author_id, s.res_id, 'comment',
       '<p>Am trimis condițiile programului.</p>', l.at, l.user_id, l.at, l.user_id,
       l.at
  FROM oda_bench_lead l, ir_model_data s
 WHERE s.module = 'mail' AND s.name = 'mt_comment';
"""

_SESSIONS = """
SET session_replication_role = replica;
SET synchronous_commit = off;
UPDATE oda_consultation_session s SET lead_id = l.id
  FROM oda_bench_lead l WHERE s.partner_id = l.partner_id;
CREATE TABLE oda_bench_card AS
  SELECT c.many, l.* FROM (VALUES (false, {few}), (true, {many})) AS c(yes, many),
         LATERAL (SELECT * FROM oda_bench_lead l
                   WHERE l.open AND l.step = 1 AND l.i % 20 = 0
                   ORDER BY l.i OFFSET CASE WHEN c.yes THEN 1 ELSE 0 END LIMIT 1) l;
DELETE FROM oda_consultation_session s USING oda_bench_card c WHERE s.lead_id = c.id;
DELETE FROM mail_activity t USING oda_bench_card c
 WHERE t.res_model = 'crm.lead' AND t.res_id = c.id;
INSERT INTO oda_consultation_session
  (partner_id, lead_id, user_id, company_id, channel, direction, content, started_at,
   ended_at, create_uid, create_date, write_uid, write_date)
SELECT c.partner_id, c.id, a.id, 1, 'phone', 'in', 'Discuția ' || k, v.at,
       v.at + interval '5 min', a.id, v.at, a.id, v.at
  FROM oda_bench_card c, generate_series(1, c.many) k
  JOIN oda_bench_agent a ON a.place = k % 3 * 3,
       LATERAL (SELECT now() AT TIME ZONE 'UTC' - k * interval '1 day' AS at) v;
INSERT INTO mail_activity
  (res_model_id, res_model, res_id, res_name, activity_type_id, summary, user_id,
   date_deadline, oda_due_at, user_tz, active, automated, create_uid, create_date,
   write_uid, write_date)
SELECT m.id, 'crm.lead', c.id, 'Consultația ' || c.i, y.res_id, 'Pasul ' || k,
       a.id, d, (d + interval '10 hour') AT TIME ZONE 'Europe/Chisinau'
       AT TIME ZONE 'UTC', 'Europe/Chisinau', true, false, 1, c.at, 1, c.at
  FROM oda_bench_card c, generate_series(1, c.many) k
  JOIN oda_bench_agent a ON a.place = k % 3 * 3,
       (SELECT id FROM ir_model WHERE model = 'crm.lead') m, ir_model_data y,
       LATERAL (SELECT current_date + 7 - extract(isodow FROM current_date)::int + 2
                       AS d) v
 WHERE y.module = 'mail' AND y.name = 'mail_activity_data_todo';
UPDATE res_partner p SET oda_adviser_id =
       (SELECT s.user_id FROM oda_consultation_session s WHERE s.partner_id = p.id
         ORDER BY s.started_at DESC, s.id DESC LIMIT 1)
  FROM oda_bench_card c WHERE p.id = c.partner_id;
SELECT setval('crm_lead_id_seq', (SELECT max(id) FROM crm_lead));
"""


def load(psql):
    """Put consultations, tasks and cards' data on a copy of the million.

    :param psql: ``psql(sql)`` runs a text as superuser
    """
    tables = ", ".join(f"'{name}'" for name in _TABLES)
    psql(_PEOPLE.format(rare=RARE))
    psql(
        "SET maintenance_work_mem = '256MB';"
        + _INDEXES.format(tables=tables)
        + _LEADS.format(leads=LEADS, flows=list(FLOWS))
        + _TASKS
        + _INDEXES_BACK
    )
    psql(_SESSIONS.format(few=FEW, many=MANY))
    psql("VACUUM ANALYZE")
