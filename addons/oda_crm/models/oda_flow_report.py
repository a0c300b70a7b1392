# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models
from odoo.tools import SQL

# A visit a row. Moves come out of the tracked changes of the stage, which every move
# of a person leaves; the stage of now from the consultation itself, so that a move
# nobody tracked (a migration) costs the visit its beginning, not its place.
_VISITS = """
WITH moves AS (
    SELECT m.res_id AS lead_id, v.old_value_integer AS stage_id,
           v.new_value_integer AS next_id, m.date AS left_at,
           lag(m.date) OVER (PARTITION BY m.res_id ORDER BY m.date, v.id) AS came_at
      FROM mail_tracking_value v
      JOIN mail_message m ON m.id = v.mail_message_id
     WHERE v.field_id = (SELECT id FROM ir_model_fields
                          WHERE model = 'crm.lead' AND name = 'stage_id')
       AND m.model = 'crm.lead' AND v.old_value_integer IS NOT NULL
), visits AS (
    SELECT lead_id, stage_id, next_id, left_at, came_at FROM moves
    UNION ALL
    SELECT id, stage_id, NULL, NULL, date_last_stage_update FROM crm_lead
     WHERE type = 'opportunity' AND stage_id IS NOT NULL
)
SELECT row_number() OVER (ORDER BY l.id, v.left_at NULLS LAST, v.stage_id) AS id,
       l.id AS lead_id, l.team_id, l.user_id, l.company_id, v.stage_id,
       s.sequence AS stage_sequence,
       COALESCE(v.came_at, l.create_date) AS came_at, e.left_at, e.outcome,
       GREATEST(0, extract(epoch FROM
           COALESCE(e.left_at, now() AT TIME ZONE 'UTC')
           - COALESCE(v.came_at, l.create_date)) / 86400.0) AS days,
       CASE e.outcome WHEN 'on' THEN 100.0 WHEN 'won' THEN 100.0
                      WHEN 'here' THEN NULL ELSE 0.0 END AS conversion
  FROM visits v
  JOIN crm_lead l ON l.id = v.lead_id AND l.type = 'opportunity'
  JOIN crm_stage s ON s.id = v.stage_id
  LEFT JOIN crm_stage n ON n.id = v.next_id
 CROSS JOIN LATERAL (
       SELECT CASE WHEN v.next_id IS NULL AND l.won_status <> 'pending'
                   THEN COALESCE(l.date_closed, l.write_date)
                   ELSE v.left_at END AS left_at,
              CASE WHEN v.next_id IS NOT NULL AND n.sequence IS NULL THEN 'on'
                   WHEN v.next_id IS NOT NULL AND n.sequence >= s.sequence THEN 'on'
                   WHEN v.next_id IS NOT NULL THEN 'back'
                   WHEN l.won_status = 'pending' THEN 'here'
                   ELSE l.won_status END AS outcome) e
"""


class OdaFlowReport(models.Model):
    """Time in each stage and conversion: one row a visit of a stage."""

    _name = "oda.flow.report"
    _description = "Progress through the Flows"
    _auto = False
    _order = "came_at desc, id desc"
    _rec_name = "lead_id"

    lead_id = fields.Many2one("crm.lead", string="Consultation", readonly=True)
    team_id = fields.Many2one("crm.team", string="Flow", readonly=True)
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    stage_id = fields.Many2one("crm.stage", readonly=True)
    stage_sequence = fields.Integer(readonly=True, aggregator=None)
    came_at = fields.Datetime(string="Entered", readonly=True)
    left_at = fields.Datetime(string="Left", readonly=True)
    outcome = fields.Selection(
        [
            ("here", "Still here"),
            ("on", "Went on"),
            ("back", "Went back"),
            ("won", "Completed"),
            ("lost", "Ended without result"),
        ],
        readonly=True,
    )
    days = fields.Float(
        string="Days in the stage", digits=(16, 1), readonly=True, aggregator="avg"
    )
    conversion = fields.Float(
        string="Went on (%)",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Of the consultations that left the stage, how many went on from it.",
    )

    @property
    def _table_query(self):
        return SQL(_VISITS)
