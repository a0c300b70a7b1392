# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Reading which tests an addon has: nothing may slip through unseen."""

import textwrap

import pytest

from oda_tools.gate import counting


@pytest.fixture
def addon(tmp_path):
    """Writes tests/ files; returns what the gate expects of them."""

    def make(init="", **files):
        folder = tmp_path / "oda_x" / "tests"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(init)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text))
        return counting.python_tests(folder.parent)

    return make


ONE = """
    class TestA(TransactionCase):
        def test_one(self): ...
        def helper(self): ...
        async def test_two(self): ...
"""


def test_methods_of_imported_files_are_expected(addon):
    found = addon("from . import test_a", test_a=ONE)
    assert found.tests == {("test_a", "TestA.test_one"), ("test_a", "TestA.test_two")}
    assert not found.problems


def test_import_of_a_name_out_of_a_file_counts_as_import(addon):
    assert len(addon("from .test_a import TestA", test_a=ONE).tests) == 2


def test_file_that_is_not_imported_is_a_problem(addon):
    found = addon("", test_a=ONE)
    assert not found.tests
    assert "test_a.py is not imported" in found.problems[0]


def test_addon_without_tests_is_a_problem(tmp_path):
    assert "no Python test" in counting.python_tests(tmp_path).problems[0]


def test_tests_in_a_file_that_odoo_does_not_load_are_a_problem(addon):
    found = addon("from . import common", common=ONE)
    assert not found.tests
    assert "TestA has tests" in found.problems[0]


def test_function_outside_a_class_is_a_problem(addon):
    found = addon("from . import test_a", test_a="def test_lonely(): ...")
    assert "outside a class" in found.problems[0]


def test_sub_folder_is_a_problem(tmp_path):
    inner = tmp_path / "tests" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "tests" / "__init__.py").write_text("")
    (inner / "test_b.py").write_text("")
    assert "sub-folders" in counting.python_tests(tmp_path).problems[0]


def test_not_standard_is_excluded_also_when_inherited(addon):
    found = addon(
        "from . import test_a",
        test_a="""
            @tagged("-standard", "slow")
            class Slow(TransactionCase):
                def test_a(self): ...

            class Slower(Slow):
                def test_b(self): ...

            @tagged("standard")
            class Again(Slow):
                def test_c(self): ...
        """,
    )
    assert found.excluded == {("test_a", "Slow.test_a"), ("test_a", "Slower.test_b")}
    assert found.tests == {("test_a", "Again.test_c")}


def test_inherited_methods_count_only_where_odoo_runs_them(addon):
    base = """
        class Contract:
            def test_contract(self): ...
    """
    found = addon(
        "from . import test_a",
        common=base,
        test_a="""
            from .common import Contract

            class TestYes(Contract, BaseCase):
                allow_inherited_tests_method = True
                def test_own(self): ...
        """,
    )
    assert found.tests == {
        ("test_a", "TestYes.test_own"),
        ("test_a", "TestYes.test_contract"),
    }
    assert not found.problems


def test_inherited_methods_that_odoo_ignores_are_a_problem(addon):
    found = addon(
        "from . import test_a",
        common="class Contract:\n    def test_contract(self): ...\n",
        test_a="class TestNo(Contract, BaseCase):\n    def test_own(self): ...\n",
    )
    assert found.tests == {("test_a", "TestNo.test_own")}
    assert "Contract has tests" in found.problems[0]


def test_pytest_functions(tmp_path):
    (tmp_path / "test_a.py").write_text(
        "def test_one(): ...\ndef other(): ...\n"
        "class TestC:\n    def test_m(self): ...\n"
    )
    assert counting.pytest_functions(tmp_path) == {"test_a.py": {"test_one", "test_m"}}
