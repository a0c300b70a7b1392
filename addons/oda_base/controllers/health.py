# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hmac
import ipaddress

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from odoo import SUPERUSER_ID, api, http
from odoo.http import Response, request

from .. import settings
from .raw_dispatcher import json_response


def _is_loopback(address):
    try:
        address = ipaddress.ip_address((address or "").strip())
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def may_see_all(http_request, token):
    """True when the details may be shown: to this machine, or to who has the token.

    :param http_request: `remote_addr` is the client's when `proxy_mode` is on
    :param str token: `metrics_token` of the configuration; '' opens nothing
    """
    scheme, _space, given = http_request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer":
        # WSGI hands over the header's bytes as Latin-1.
        if hmac.compare_digest(given.strip().encode("latin-1"), token.encode()):
            return True
    # Behind a proxy but without proxy_mode every client would seem to be local.
    passed_on = http_request.headers.get("X-Forwarded-For", "").rpartition(",")[2]
    return _is_loopback(http_request.remote_addr) and (
        not passed_on or _is_loopback(passed_on)
    )


def _facts():
    health = api.Environment(request.env.cr, SUPERUSER_ID, {})["oda.health"]
    token = settings.oda_section().get("metrics_token", "").strip()
    if may_see_all(request.httprequest, token):
        return health._facts()
    return health._facts_for_all()


class HealthController(http.Controller):
    """Two pages for machines. No names, numbers or texts of people in them.

    Strangers learn whether the house is well and how old the oldest waiting push
    is; details are for this machine and for bearers of `[oda] metrics_token`.
    """

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
        facts = _facts()
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
        registry = CollectorRegistry()
        registry.register(_Facts(_facts()))
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
        yield GaugeMetricFamily(
            "oda_inbound_oldest_seconds",
            "Age of the oldest push that waits",
            value=facts["queue"]["oldest_seconds"],
        )
        if "connectors" in facts:
            yield from self._details(facts)

    @staticmethod
    def _details(facts):
        jobs = GaugeMetricFamily("oda_jobs", "Jobs by state", labels=["state"])
        for state, number in facts["queue"]["jobs"].items():
            jobs.add_metric([state], number)
        yield jobs
        for name in ("inbound", "outbound"):
            gauge = GaugeMetricFamily(
                f"oda_{name}_rows",
                f"Unfinished rows of the {name} box",
                labels=["connector", "account", "state"],
            )
            for connector in facts["connectors"]:
                for state, number in connector[name].items():
                    gauge.add_metric(
                        [connector["connector"], str(connector["account"]), state],
                        number,
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
