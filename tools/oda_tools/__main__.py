# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import sys

from oda_tools.cli import main

sys.exit(main(sys.argv[1:]))
