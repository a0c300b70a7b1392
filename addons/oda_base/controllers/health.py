# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from odoo import SUPERUSER_ID, api, http
from odoo.http import Response, request

from .raw_dispatcher import json_response


class HealthController(http.Controller):
    """Two pages for machines. No names, numbers or texts of people in them."""

    @http.route(
        "/oda/health",
        type="oda_raw",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def health(self):
        """Return 200 or 503 and JSON: database, queue, last backup, connectors."""
        env = api.Environment(request.env.cr, SUPERUSER_ID, {})
        facts = env["oda.health"]._facts()
        return json_response(facts, 200 if facts["status"] == "ok" else 503)

    @http.route(
        "/oda/metrics",
        type="oda_raw",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def metrics(self):
        """Return the same facts as Prometheus text."""
        env = api.Environment(request.env.cr, SUPERUSER_ID, {})
        registry = CollectorRegistry()
        registry.register(_Facts(env["oda.health"]._facts()))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Facts:
    """Collector of one scrape."""

    def __init__(self, facts):
        self._facts = facts

    def collect(self):
        facts = self._facts
        yield GaugeMetricFamily(
            "oda_up", "1 when the house is well", value=facts["status"] == "ok"
        )
        jobs = GaugeMetricFamily("oda_jobs", "Jobs by state", labels=["state"])
        for state, number in facts["queue"]["jobs"].items():
            jobs.add_metric([state], number)
        yield jobs
        yield GaugeMetricFamily(
            "oda_inbound_oldest_seconds",
            "Age of the oldest push that waits",
            value=facts["queue"]["oldest_seconds"],
        )
        for name in ("inbound", "outbound"):
            gauge = GaugeMetricFamily(
                f"oda_{name}_rows",
                f"Unfinished rows of the {name} box",
                labels=["connector", "account", "state"],
            )
            for connector in facts["connectors"]:
                for state, number in connector[name].items():
                    gauge.add_metric(
                        [connector["connector"], connector["key"], state], number
                    )
            yield gauge
        refused = GaugeMetricFamily(
            "oda_refused_24h", "Pushes refused in 24 hours", labels=["connector"]
        )
        for connector, number in facts["refused_24h"].items():
            refused.add_metric([connector], number)
        yield refused
        breakers = GaugeMetricFamily(
            "oda_circuit_open", "1 while a host is left alone", labels=["host"]
        )
        for host, state in facts["circuits"].items():
            breakers.add_metric([host], state != "closed")
        yield breakers
