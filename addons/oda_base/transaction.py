# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A piece of work in a transaction of its own, repeated when it loses a race.

Odoo works under snapshot isolation: who comes second is told so by an error and
must look again on a new snapshot. A web request is repeated by Odoo itself; jobs,
hooks after a commit and anything with a lock of its own use this.
"""

import random
import time

from psycopg2.errors import UniqueViolation

from odoo import api
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: Two transactions met: always worth another look.
CONFLICT = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
#: `UniqueViolation` nearly always means that the row to be made was made by another
#: meanwhile, which our snapshot cannot see.
LOST_RACE = (*CONFLICT, UniqueViolation)
FIRST_PAUSE = 0.02  # seconds; doubled at each try


def in_own_transaction(registry, uid, function, tries=6, context=None):
    """Run `function(env)` on a cursor of its own and commit; return its result.

    Repeated on a new snapshot, at once, when another transaction was faster: so
    `function` must have no effect outside of its transaction.

    :param registry: of the database to work in
    :param int uid: user of the environment; `SUPERUSER_ID` is above access rights
    :param function: called with the environment, at most `tries` times
    :param int tries: at least 1; about 0.6 s of pauses for the default of 6
    :param dict context: of the environment
    :raise Exception: what `function` raised; of the errors that are repeated, the
        last one. Nothing is committed then
    """
    for left in range(tries - 1, -1, -1):
        committed = []
        try:
            with registry.cursor() as cr:
                # The first hook to run: an error in a later one is no reason to
                # repeat what has been committed.
                cr.postcommit.add(lambda done=committed: done.append(True))
                result = function(api.Environment(cr, uid, context or {}))
                # pylint: disable-next=invalid-commit  # a cursor of our own
                cr.commit()
            return result
        except LOST_RACE:
            if committed or not left:
                raise
        time.sleep(FIRST_PAUSE * 2 ** (tries - 1 - left) * random.uniform(0.5, 1.0))
    raise ValueError("in_own_transaction needs at least one try")
