# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Which tests an addon says it has, read from its files without running them.

The gate compares this with what ran, name by name: Odoo stays green when a test file
is not imported, a class is no Odoo test case, or its tags exclude both phases.
"""

import ast
from dataclasses import dataclass, field


@dataclass
class Expected:
    """What should run.

    :ivar set tests: (file without .py, "Class.test_method")
    :ivar set excluded: the same, for tests tagged ``-standard``
    :ivar list problems: sentences about tests that can never run
    """

    tests: set = field(default_factory=set)
    excluded: set = field(default_factory=set)
    problems: list = field(default_factory=list)


def _imported(tree):
    """Submodule names that a package's ``__init__`` imports from itself."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            if node.module:
                names.add(node.module.partition(".")[0])
            else:
                names.update(alias.name for alias in node.names)
    return names


def _methods(node):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        item.name
        for item in node.body
        if isinstance(item, functions) and item.name.startswith("test")
    ]


def _last_name(node):
    """The last part of a dotted name: ``c`` of ``a.b.c``, "" for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _tags(node):
    """Arguments of the ``@tagged`` decorators of a class."""
    return {
        argument.value
        for call in node.decorator_list
        if isinstance(call, ast.Call) and _last_name(call.func) == "tagged"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def _inherits_tests(node):
    """Whether the class sets ``allow_inherited_tests_method = True``."""
    return any(
        isinstance(item, ast.Assign)
        and any(_last_name(t) == "allow_inherited_tests_method" for t in item.targets)
        and isinstance(item.value, ast.Constant)
        and item.value.value is True
        for item in node.body
    )


class _Classes:
    """The classes of one tests folder, by name, to follow inheritance inside it."""

    def __init__(self):
        self.nodes = {}

    def bases(self, node):
        names = map(_last_name, node.bases)
        return [self.nodes[n] for n in names if n in self.nodes and n != node.name]

    def lineage(self, node):
        """The class and its ancestors that live in the same folder."""
        found, todo = [], [node]
        while todo:
            current = todo.pop()
            if current not in found:
                found.append(current)
                todo += self.bases(current)
        return found

    def standard(self, node):
        """Whether ``--test-tags /addon`` takes the class: the nearest tag decides."""
        for current in self.lineage(node):
            tags = _tags(current)
            if "-standard" in tags:
                return False
            if "standard" in tags:
                return True
        return True


def python_tests(addon_path):
    """Read ``tests/`` of an addon.

    :param Path addon_path: the addon's folder
    :return: an :class:`Expected`
    """
    result, folder = Expected(), addon_path / "tests"
    if not (folder / "__init__.py").is_file():
        result.problems.append("no tests/__init__.py: the addon has no Python test")
        return result
    imported = _imported(ast.parse((folder / "__init__.py").read_text("utf-8")))
    classes, trees = _Classes(), {}
    for file in sorted(folder.glob("*.py")):
        trees[file.stem] = tree = ast.parse(file.read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                classes.nodes[node.name] = node
    for file in sorted(folder.rglob("test_*.py")):
        if file.parent != folder:
            where = file.relative_to(addon_path)
            result.problems.append(f"{where}: Odoo does not look into sub-folders")
    for stem, tree in trees.items():
        _one_file(result, stem, tree, imported, classes)
    return result


def _one_file(result, stem, tree, imported, classes):
    loaded = stem.startswith("test_") and stem in imported
    own = [n for n in tree.body if isinstance(n, ast.ClassDef) and _methods(n)]
    if stem.startswith("test_") and stem not in imported:
        result.problems.append(f"tests/{stem}.py is not imported by tests/__init__.py")
        return
    if not loaded:
        for node in own:
            if not _is_inherited(node, classes):
                result.problems.append(
                    f"tests/{stem}.py: {node.name} has tests, but Odoo only runs "
                    "those in files named test_*.py"
                )
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            result.problems.append(
                f"tests/{stem}.py: {node.name} is outside a class, Odoo never runs it"
            )
        if not isinstance(node, ast.ClassDef):
            continue
        names = set(_methods(node))
        if any(_inherits_tests(n) for n in classes.lineage(node)):
            names.update(m for n in classes.lineage(node) for m in _methods(n))
        tests = {(stem, f"{node.name}.{name}") for name in names}
        (result.tests if classes.standard(node) else result.excluded).update(tests)


def _is_inherited(node, classes):
    """Whether some class takes over this one's tests."""
    return any(
        node in classes.lineage(other)
        and any(_inherits_tests(n) for n in classes.lineage(other))
        for other in classes.nodes.values()
        if other is not node
    )


def pytest_functions(folder):
    """Test functions of a pytest folder: {file path relative to it: {names}}.

    Methods of ``Test...`` classes are given as plain names, as pytest reports them.
    """
    found = {}
    for file in sorted(folder.rglob("test_*.py")):
        names = set()
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                names.update(_methods(node))
            elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                names.add(node.name)
        found[str(file.relative_to(folder))] = names
    return found
