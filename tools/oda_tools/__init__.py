# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Set-up and commands of the suite. Standard library only: it runs before the venv."""
