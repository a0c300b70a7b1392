# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models, release

from ..connectors import driver_of
from ..net import BREAKER

#: seconds a waiting push may be old before the house counts as unwell
STUCK_AFTER = 600


class OdaHealth(models.AbstractModel):
    """The state of the house as numbers; higher addons extend `_facts`."""

    _name = "oda.health"
    _description = "Health"

    @api.model
    def _facts(self):
        """Return a JSON-able dict; `status` is `ok` or `unwell`.

        `{status, database, queue: {jobs, oldest_seconds}, last_backup,
        connectors: [{connector, account, inbound, outbound, last_received}],
        refused_24h, circuits, versions}`; `account` is an id: its key is half of
        the address that a provider pushes to. Indexed reads only.
        """
        facts = self._facts_for_all()
        facts["queue"]["jobs"] = self._pairs(
            "SELECT state, count(*) FROM queue_job WHERE state IN "
            "('pending', 'enqueued', 'started', 'failed') GROUP BY state"
        )
        return facts | {
            "last_backup": self._last_backup(),
            "connectors": self._connectors(),
            "refused_24h": self._refused(),
            "circuits": {
                host: circuit.state for host, circuit in BREAKER.states().items()
            },
            "versions": self._versions(),
        }

    @api.model
    def _facts_for_all(self):
        """Return what anybody may know: `{status, database, queue}`, one query."""
        self.env.cr.execute(
            "SELECT coalesce(extract(epoch FROM (now() AT TIME ZONE 'UTC') - "
            "min(received_at)), 0) FROM oda_inbound WHERE state = 'new'"
        )
        oldest = round(float(self.env.cr.fetchone()[0]), 1)
        return {
            "status": "ok" if oldest < STUCK_AFTER else "unwell",
            "database": "ok",
            "queue": {"oldest_seconds": oldest},
        }

    def _pairs(self, query):
        # pylint: disable=sql-injection  # constant texts of this file
        self.env.cr.execute(query)
        return dict(self.env.cr.fetchall())

    def _refused(self):
        """Return `{connector: count}`; names a stranger made up are all ''."""
        counts = defaultdict(int)
        for connector, number in self._pairs(
            "SELECT coalesce(connector, ''), sum(count) FROM oda_refusal WHERE "
            "at > (now() AT TIME ZONE 'UTC') - interval '24 hours' GROUP BY 1"
        ).items():
            counts[connector if driver_of(connector) else ""] += number
        return counts

    def _last_backup(self):
        # sudo: a date out of the parameters; written by the backup command
        return self.env["ir.config_parameter"].sudo().get_param("oda.last_backup", None)

    def _connectors(self):
        boxes = {
            "oda_inbound": self._box(
                # A part for each partial index.
                "SELECT account_id, state, count(*) FROM oda_inbound "
                "WHERE state IN ('new', 'retry') GROUP BY 1, 2 UNION ALL "
                "SELECT account_id, state, count(*) FROM oda_inbound "
                "WHERE state = 'dead' GROUP BY 1, 2"
            ),
            "oda_outbound": self._box(
                "SELECT account_id, state, count(*) FROM oda_outbound "
                "WHERE state IN ('pending', 'sending', 'unknown') GROUP BY 1, 2"
            ),
        }
        # sudo: called for machines, without a person; no secrets are read
        accounts = self.env["oda.connector.account"].sudo().search([])  # pylint: disable=no-search-all  # a handful
        return [
            {
                "connector": account.connector,
                "account": account.id,
                "inbound": boxes["oda_inbound"][account.id],
                "outbound": boxes["oda_outbound"][account.id],
                "last_received": fields.Datetime.to_string(account.last_received_at)
                or None,
            }
            for account in accounts
        ]

    def _box(self, query):
        box = defaultdict(dict)
        # pylint: disable=sql-injection  # constant texts of this file
        self.env.cr.execute(query)
        for account_id, state, number in self.env.cr.fetchall():
            box[account_id][state] = number
        return box

    def _versions(self):
        # sudo: names and versions of installed addons
        modules = self.env["ir.module.module"].sudo()
        installed = modules.search([("name", "=like", "oda_%")])
        return {
            "server": release.version,
            **{m.name: m.latest_version for m in installed if m.state == "installed"},
        }
