# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The process beside an Asterisk: hears it, keeps what it says, tells Odoo.

Outside of Odoo's workers, which come and go and are several. It imports nothing of
Odoo and of this addon only the pure drivers. `python .../listener --config FILE`.
"""
