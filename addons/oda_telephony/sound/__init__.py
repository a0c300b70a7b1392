# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Plain Python about recorded sound: no `env`, no HTTP."""
