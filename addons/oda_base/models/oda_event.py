# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import re
from collections.abc import Mapping

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.http import request

# Whole words of a name, so that `company` is not taken for a card's `pan`.
_SENSITIVE = re.compile(
    r"(?:^|[^a-z])(?:secret|token|password|passwd|idnp|pan|signature)s?(?![a-z])"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_APPEND_ONLY = """
CREATE OR REPLACE FUNCTION oda_append_only() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are facts: they are added, never changed or removed',
        TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END;
$$ LANGUAGE plpgsql;
"""


def make_append_only(cr, table):
    """Let SQL itself refuse UPDATE, DELETE and TRUNCATE on a table of facts."""
    cr.execute(_APPEND_ONLY)
    cr.execute(
        "SELECT 1 FROM pg_trigger WHERE tgname = %s AND tgrelid = %s::regclass",
        ("oda_append_only_row", table),
    )
    if cr.fetchone():
        return
    # pylint: disable=sql-injection  # table: a constant of ours, not input
    cr.execute(
        f"CREATE TRIGGER oda_append_only_row BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION oda_append_only()"
    )
    cr.execute(
        f"CREATE TRIGGER oda_append_only_all BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION oda_append_only()"
    )


def drop_append_only(cr):
    """Remove the trigger function and with it every trigger that uses it."""
    cr.execute("DROP FUNCTION IF EXISTS oda_append_only() CASCADE")


def sensitive_names(details):
    """Return the names, at any depth of JSON-able details, that say: secret."""
    if isinstance(details, Mapping):
        own = [n for n in details if _SENSITIVE.search(_CAMEL.sub("_", n).lower())]
        return own + sensitive_names(list(details.values()))
    if isinstance(details, (list, tuple)):
        return [name for one in details for name in sensitive_names(one)]
    return []


class OdaEvent(models.Model):
    """Business-event journal: who did what to whose record, and when.

    Facts only: rows are added through ``_log`` and never changed, neither by
    the ORM nor by SQL. Higher addons forward them (MLog).
    """

    _name = "oda.event"
    _description = "Business Event"
    _log_access = False
    _order = "id desc"
    _rec_name = "code"

    code = fields.Char(required=True, readonly=True, index=True)
    at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one(
        "res.users", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="restrict")
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", readonly=True, model_field="res_model"
    )
    ip = fields.Char(string="Address", readonly=True)
    details = fields.Json(readonly=True)

    _record_idx = models.Index("(res_model, res_id, id)")
    _at_idx = models.Index("(at)")

    def init(self):
        make_append_only(self.env.cr, self._table)

    @api.model
    def _log(self, code, record=None, **details):
        """Add one event for each record (or one without a record).

        :param str code: dotted, e.g. ``recording.listen``
        :param record: recordset or None
        :param details: JSON-able facts; sensitive names are refused, so that
            no secret and no personal number can be journalled by mistake
        """
        if bad := sensitive_names(details):
            raise ValueError(f"not for the journal: {', '.join(bad)}")
        common = {
            "code": code,
            "user_id": self.env.uid,
            "company_id": self.env.company.id,
            "ip": request.httprequest.remote_addr if request else False,
            "details": details or False,
        }
        rows = [
            dict(common, res_model=one._name, res_id=one.id) for one in record or ()
        ] or [common]
        # sudo: everybody's acts are journalled, few may read the journal
        return self.sudo().create(rows)

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self.env._("The journal is append-only."))

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # the journal has no exception
        raise AccessError(self.env._("The journal is append-only."))
