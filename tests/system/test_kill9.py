# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""kill -9 of the server under pushes: nothing lost, nothing doubled.

The long form of it (20 kills, prefork, a million people) is `make bench ONLY=kill9`.
"""

from tests.bench import crash, pushes

KNOWN = tuple(f"+373697{number:05d}" for number in range(100, 160))
AGENTS = ("ana", "ion", "maria", "vasile", "elena")  # of the demo data


def _people(system):
    """Give the known callers a card, as an import would."""
    rows = ", ".join(
        f"('Beneficiar {number}', 'Beneficiar {number}', '{number}', '{number}')"
        for number in KNOWN
    )
    system.psql(
        f"""
        WITH made AS (
            INSERT INTO res_partner
                (name, complete_name, phone, phone_sanitized, active, partner_share,
                 type, create_date, write_date)
            SELECT n, c, p, s, true, true, 'contact', now(), now()
              FROM (VALUES {rows}) v(n, c, p, s)
            RETURNING id, phone
        ), linked AS (
            UPDATE res_partner p SET commercial_partner_id = p.id FROM made m
             WHERE p.id = m.id
        )
        INSERT INTO oda_phone (partner_id, raw, e164, digits, kind, is_primary)
        SELECT id, phone, phone, substr(phone, 2), 'mobile', true FROM made
        """
    )


def test_kill9_loses_and_doubles_nothing(system):
    system.expect_log(
        "odoo.addons.queue_job.jobrunner.runner",
        "Re-queued dead job",
        "the job of a killed server is found by its released lock and run again",
    )
    _people(system)
    outcome = crash.run(
        system.psql,
        system.port,
        lambda: system.restart(crash=True),
        kills=5,
        scripts=pushes.scripts(
            31, crash.PREFIX, known=lambda chance: chance.choice(KNOWN), agents=AGENTS
        ),
        uptime=(1, 7),
    )
    assert outcome.wrong == []
    assert outcome.kills == 5
    assert outcome.repeated, "the server was never away: nothing was proven"
    assert outcome.accepted > 200
