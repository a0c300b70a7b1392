# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timezone

from odoo import api, models

from odoo.addons.oda_base.sealing import SealError
from odoo.addons.oda_base.transaction import in_own_transaction

from .. import callstate, reconciling
from ..drivers.faults import PbxFault

BATCH = 100  # calls corrected in one transaction
#: what a person would see change
_SHOWN = ("state", "outcome", "answered_by", "recordings")


class OdaCall(models.Model):
    """What pushes have not told, the exchange's own history does."""

    _inherit = "oda.call"

    def _reconcile(self, account_id):
        """Compare the calls of one account with its history. Job entry point.

        No transaction is open while the exchange is asked; each page is noted, so
        that what is broken off goes on where it was.
        """
        registry, uid = self.env.registry, self.env.uid
        context = {"lang": self.env.user.lang}

        def own(method, *args):
            def act(env):
                return getattr(env[self._name], method)(account_id, *args)

            return in_own_transaction(registry, uid, act, context=context)

        with registry.cursor() as lock_cr:
            lock_cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtext('oda_reconcile'), %s)",
                (account_id,),
            )
            if not lock_cr.fetchone()[0]:
                return "already being compared"
            task = own("_reconcile_task")
            if not task:
                return "nothing to compare with"
            driver, account, (since, until) = task
            found = repaired = 0
            try:
                for begin, end in reconciling.pages(since, until):
                    events = driver.history(account, begin, end)
                    one, other = self._reconcile_page(own, events, end)
                    found, repaired = found + one, repaired + other
            except PbxFault as fault:
                own("_reconcile_fault", fault)
                return fault.words
            own("_reconcile_over")
        return f"{found} found, {repaired} corrected"

    def _reconcile_page(self, own, events, end):
        """Work the events of a page in small transactions; return (found, repaired)."""
        now = datetime.now(timezone.utc)
        events = [event for event in events if reconciling.is_settled(event, now)]
        callids = list(dict.fromkeys(event.callid for event in events))
        found = repaired = 0
        for start in range(0, len(callids), BATCH):
            some = set(callids[start : start + BATCH])
            batch = [event for event in events if event.callid in some]
            one, other = own("_reconcile_batch", batch, now)
            found, repaired = found + one, repaired + other
        own("_reconcile_noted", min(end, now), found, repaired)
        return found, repaired

    @api.model
    def _reconcile_task(self, account_id):
        """Return `(driver, Account, (since, until))`, or None: nobody to ask."""
        account = self.env["oda.connector.account"].browse(account_id).exists()
        if not account or not account._pbx_can_ask():
            return None
        try:
            plain = account._account()
        except SealError:
            return None
        span = reconciling.span_of(
            datetime.now(timezone.utc),
            _aware(account.create_date),
            _aware(account.reconciled_until),
        )
        return account._driver(), plain, span

    @api.model
    def _reconcile_noted(self, account_id, until, found, repaired):
        account = self.env["oda.connector.account"].browse(account_id)
        account._reconcile_note(_naive(until), found, repaired)

    @api.model
    def _reconcile_over(self, account_id):
        self.env["oda.connector.account"].browse(account_id)._reconcile_note(over=True)

    @api.model
    def _reconcile_fault(self, account_id, fault):
        self.env["oda.connector.account"].browse(account_id)._reconcile_failed(fault)

    @api.model
    def _reconcile_batch(self, account_id, events, now):
        """Apply history to calls that lack it.

        :param events: `CallEvent` list; of other kinds than 'ignored', each is kept
            that says something new
        :param datetime now: aware, when they were received
        :return: (calls that nobody had told of, calls that look otherwise now)
        """
        account = self.env["oda.connector.account"].browse(account_id)
        calls = self.with_company(account.company_id)
        before = calls._reconcile_states(account, {event.callid for event in events})
        news = []
        for event in events:
            if event.kind == "ignored" or not event.callid:
                continue
            state = before.get(event.callid)
            # Most of it is known: those rows are neither locked nor written.
            if state is None or callstate.apply(state, event, now)[0] is not state:
                news.append((event, now))
        if not news:
            return 0, 0
        calls._apply_events(account, news)
        touched = {event.callid for event, _at in news}
        after = calls._reconcile_states(account, touched)
        found = {callid for callid in touched if before.get(callid) is None}
        repaired = {
            after[callid].callid
            for callid in touched - found
            if any(
                getattr(before[callid], name) != getattr(after[callid], name)
                for name in _SHOWN
            )
        }
        return len(found), len(repaired)

    @api.model
    def _reconcile_states(self, account, callids):
        """Return `{callid: CallState}` of known calls, of merged ones the main's."""
        rows = self.search(
            [("account_id", "=", account.id), ("callid", "in", list(callids))]
        )
        rows.invalidate_recordset(["state_json", "merged_into_id"])
        states = {}
        for row in rows:
            main = row._main()
            if main.state_json:
                states[row.callid] = callstate.from_json(main.state_json)
        return states


def _aware(moment):
    return moment.replace(tzinfo=timezone.utc) if moment else None


def _naive(moment):
    return moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)
