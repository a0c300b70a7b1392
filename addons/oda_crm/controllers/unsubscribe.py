# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging

from odoo import http
from odoo.http import request

from odoo.addons.oda_base import sealing

from .. import unsubscribe

_logger = logging.getLogger(__name__)


class Unsubscribe(http.Controller):
    """The last line of a letter: looking changes nothing, pressing ends it."""

    @http.route(
        "/oda/unsubscribe/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        sitemap=False,
        save_session=False,
    )
    def page(self, token, **_kw):
        partner, programme, _purpose = self._whose(token)
        if not partner:
            return self._answer("oda_crm.unsubscribe_unknown", 404)
        return self._answer(
            "oda_crm.unsubscribe_ask", 200, partner, programme=programme, token=token
        )

    # The signed token is the permission, and mail programs press for people.
    @http.route(
        "/oda/unsubscribe/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        sitemap=False,
        save_session=False,
    )
    def press(self, token, everything=None, **_kw):
        partner, programme, purpose = self._whose(token)
        if not partner:
            return self._answer("oda_crm.unsubscribe_unknown", 404)
        if everything:
            programme = None
        partner._oda_unsubscribe(purpose, programme)
        return self._answer(
            "oda_crm.unsubscribe_done", 200, partner, programme=programme
        )

    def _whose(self, token):
        """Return (partner, programme or None, purpose); Nones for a wrong token."""
        try:
            subscription = unsubscribe.read(token)
        except sealing.SealingKeyMissing as error:
            _logger.warning("no address can be checked: %s", error)
            subscription = None
        if not subscription:
            return None, None, None
        # sudo: the signature names the person and what they may end
        env = request.env(su=True)
        partner = env["res.partner"]._oda_now(subscription.partner)
        programme = env["oda.programme"].browse(subscription.programme).exists()
        return partner, programme or None, subscription.purpose

    def _answer(self, template, status, partner=None, **values):
        """Render the page in the person's language, or else the browser's."""
        wanted = partner and partner.lang or request.best_lang
        installed = dict(request.env["res.lang"].get_installed())
        lang = wanted if wanted in installed else request.env.lang or "en_US"
        request.update_context(lang=lang)
        programme = values.get("programme")
        # sudo: the name of the programme that the token is about
        name = programme.sudo().with_context(lang=lang).name if programme else ""
        html = request.env["ir.qweb"]._render(
            template,
            {
                "html_lang": lang.replace("_", "-"),
                "programme": name,
                "token": values.get("token", ""),
            },
        )
        return request.make_response(
            html,
            status=status,
            headers=[
                ("Content-Type", "text/html; charset=utf-8"),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Robots-Tag", "noindex"),
            ],
        )
