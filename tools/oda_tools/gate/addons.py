# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the manifests say: addons, dependencies, install order. No Odoo is imported."""

import ast
from dataclasses import dataclass, field
from pathlib import Path


class AddonError(Exception):
    """A manifest that cannot be used; the text names the addon and the reason."""


@dataclass(frozen=True)
class Addon:
    """One addon folder.

    :ivar str name: folder name
    :ivar Path path: the folder
    :ivar dict manifest: the literal of ``__manifest__.py``
    """

    name: str
    path: Path
    manifest: dict = field(compare=False, hash=False)

    @property
    def depends(self):
        return list(self.manifest.get("depends") or (["base"] * (self.name != "base")))

    @property
    def auto_install(self):
        return bool(self.manifest.get("auto_install"))


def read(path):
    """The addon in folder ``path``, or None when it is not an addon.

    :raise AddonError: when the manifest is not a literal dictionary
    """
    file = path / "__manifest__.py"
    if not file.is_file():
        return None
    try:
        manifest = ast.literal_eval(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise AddonError(f"{path.name}: __manifest__.py: {error}") from None
    if not isinstance(manifest, dict):
        raise AddonError(f"{path.name}: __manifest__.py is not a dictionary")
    return Addon(path.name, path, manifest)


class Catalogue:
    """Every addon the server can see, ours apart.

    :param Path ours: the folder whose addons are under test
    :param others: folders with the rest (Odoo's, the server addons, OCA's)
    """

    def __init__(self, ours, others):
        self.all = {}
        for folder in [*reversed(list(others)), ours]:
            if not folder.is_dir():
                continue
            for path in sorted(folder.iterdir()):
                addon = read(path)
                if addon:
                    self.all[addon.name] = addon
        self.ours = {n: a for n, a in self.all.items() if a.path.parent == ours}
        self.ours = {n: a for n, a in self.ours.items() if installable(a)}
        for addon in self.ours.values():
            for name in addon.depends:
                if name not in self.all:
                    raise AddonError(f"{addon.name}: depends on unknown addon {name}")

    def closure(self, name):
        """``name`` and everything it depends on, at any depth; a set of names."""
        found, todo = set(), [name]
        while todo:
            current = todo.pop()
            if current not in found:
                found.add(current)
                todo += self.all[current].depends if current in self.all else []
        return found

    def settled(self, names):
        """``names`` plus what Odoo installs by itself beside them (auto_install)."""
        found = set(names)
        while True:
            more = {
                a.name
                for a in self.all.values()
                if a.name not in found and installable(a) and self._springs(a, found)
            }
            if not more:
                return found
            for name in more:
                found |= self.closure(name)

    @staticmethod
    def _springs(addon, installed):
        wanted = addon.manifest.get("auto_install")
        if not wanted:
            return False
        triggers = wanted if isinstance(wanted, list | tuple | set) else addon.depends
        return set(triggers) <= installed

    def order(self):
        """Our addons, dependencies first; alphabetical among equals.

        :raise AddonError: on a circle
        """
        left, done = dict(sorted(self.ours.items())), []
        while left:
            ready = [n for n, a in left.items() if not set(a.depends) & set(left)]
            if not ready:
                raise AddonError(f"addons depend on each other: {', '.join(left)}")
            done += ready
            for name in ready:
                del left[name]
        return done

    def our_closure(self, name):
        """The addons of ours among ``closure(name)``, without ``name`` itself."""
        return (self.closure(name) & set(self.ours)) - {name}

    def parent(self, name):
        """The dependency of ours whose own closure is the largest, or None.

        A database where only that one is installed holds nothing that ``name`` may
        not rely on, so it is the best place to install ``name`` from.
        """
        mine = self.our_closure(name)
        return max(mine, key=lambda n: (len(self.closure(n)), n), default=None)

    def common_ground(self):
        """Outside addons that every addon of ours depends on (at least base, web)."""
        closures = [self.closure(n) - set(self.ours) for n in self.ours]
        return {"base", "web"} | (set.intersection(*closures) if closures else set())


def installable(addon):
    return addon.manifest.get("installable", True)
