# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import logging
import time

from odoo import api, models

from ..connectors import Account, Envelope, Push, driver_of, storable

_logger = logging.getLogger(__name__)

_INSERT = """
INSERT INTO oda_inbound
    (account_id, company_id, connector, event_key, order_key, kind, state,
     received_at, attempts, content_type, remote_addr, body)
VALUES (%s, %s, %s, %s, %s, %s, 'new', now() AT TIME ZONE 'UTC', 0, %s, %s, %s)
ON CONFLICT (account_id, event_key) DO NOTHING
RETURNING id
"""


class OdaInbound(models.Model):
    """The inbox's front: one statement while the provider waits."""

    _inherit = "oda.inbound"

    @api.model
    def _receive(self, account: Account, push: Push, envelope: Envelope):
        """Insert the row of a verified push; return its id, None if known.

        One statement, no ORM: this is the provider's waiting time. The job is
        woken after the commit, on its own snapshot.
        """
        cr = self.env.cr
        event_key = envelope.event_key
        if envelope.repeats:
            event_key = f"{event_key}.{int(time.time()) // envelope.repeats}"
        driver = driver_of(account.connector)
        body = driver.storable_body(push, account) if driver else push.body
        cr.execute(
            _INSERT,
            (
                account.id,
                account.company_id,
                account.connector,
                storable(event_key, 255),
                storable(envelope.order_key, 255),
                storable(envelope.kind, 128),
                storable(push.content_type, 128),
                storable(push.remote_addr, 128),
                base64.b64encode(body),
            ),
            # The same push twice at once is a conflict, and an everyday one.
            log_exceptions=False,
        )
        inserted = cr.fetchone()
        if not inserted:
            return None
        account_id = account.id

        def wake():
            # Same connection, next transaction: a fresh snapshot for one SELECT.
            try:
                env = api.Environment(cr, api.SUPERUSER_ID, {})
                env["oda.connector.account"].browse(account_id)._wake(
                    "oda.inbound", "_drain"
                )
                # pylint: disable-next=invalid-commit  # a transaction of its own
                cr.commit()
            except Exception:  # noqa: BLE001
                # The row is safe and the answer is 200: the sweeper will wake.
                cr.rollback()
                _logger.info("drain of account %s left to the sweeper", account_id)

        cr.postcommit.add(wake)
        return inserted[0]
