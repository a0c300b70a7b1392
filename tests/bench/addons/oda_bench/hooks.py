# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import Command

AGENTS = 20


def post_init_hook(env):
    """Make the agents of the benches: bench01 ... bench20, password = login."""
    account = env["oda.connector.account"].search(
        [("connector", "=", "moldcell"), ("key", "=", "demo")]
    )
    users = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            [
                {
                    "name": f"Agent {number:02d}",
                    "login": f"bench{number:02d}",
                    "password": f"bench{number:02d}",
                    "email": f"bench{number:02d}@example.com",
                    "tz": "Europe/Chisinau",
                    "group_ids": [
                        Command.set([env.ref("oda_base.group_consultant").id])
                    ],
                }
                for number in range(1, AGENTS + 1)
            ]
        )
    )
    # A second exchange on the same numbers; see bench_faults.
    second = account.create(
        {
            "name": "Second exchange",
            "connector": "moldcell",
            "key": "second",
            "secret": "demo-moldcell-secret",
        }
    )
    env["oda.pbx.user"].create(
        [
            {"account_id": one.id, "login": user.login, "user_id": user.id}
            for one in (account, second)
            for user in users
        ]
    )
