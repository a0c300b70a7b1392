# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The doubles. A new one is one module (or package) here that sets ``DOUBLE`` to a
``sandbox.core.Double`` subclass, and one panel ``static/panels/<name>.js``.
"""

import importlib
import pkgutil


def discover():
    """Return the Double subclasses found in this package, in order of module name."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module.DOUBLE for module in modules]
