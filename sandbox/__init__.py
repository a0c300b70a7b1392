# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Stand-ins for every service outside the suite, in one process with one web page.

Run ``python -m sandbox --port 8070 --odoo http://127.0.0.1:8069`` from the root of
the repository. Nothing here is installed with the addons or reaches the Internet.
"""
