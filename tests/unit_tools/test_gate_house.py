# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The house rules: each is shown a file that breaks it and one that keeps it."""

import pytest

from oda_tools.gate import house, po


@pytest.fixture
def write(tmp_path):
    def make(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    make.root = tmp_path
    return make


def broken(write, rule):
    return list(rule(write.root, house.files(write.root)))


def test_sudo_needs_a_reason(write):
    write("addons/oda_x/models/a.py", "x.sudo().y\nx.sudo()  # sudo: a counter\n")
    assert broken(write, house.sudo_reasons) == [
        "addons/oda_x/models/a.py:1: sudo() without '# sudo: why'"
    ]


def test_reason_may_stand_above_the_statement():
    text = """
def a(self):
    # sudo: the box is for administrators, its rows are made by everybody
    box = (
        self.env["x"].sudo()
    )
    return box.sudo()
"""
    assert house.unexplained_sudo(text) == [7]


def test_reason_of_another_statement_does_not_count():
    text = "x.sudo()  # sudo: why\nif y:\n    z = 1\n    x.sudo()\n"
    assert house.unexplained_sudo(text) == [4]


def test_sudo_in_tests_comments_and_text_needs_none(write):
    write("addons/oda_x/tests/test_a.py", "x.sudo()\n")
    write("addons/oda_x/models/a.py", "# never .sudo() here\n")
    assert not broken(write, house.sudo_reasons)


def test_licence_is_the_first_line(write):
    write("addons/a.py", "import os\n")
    write("addons/b.py", f"{house.LICENCE}\nimport os\n")
    write("addons/c.py", "")
    write("tools/d", "")
    assert broken(write, house.licence) == [
        "addons/a.py: the first line is not the licence"
    ]


def test_paths_of_a_machine(write):
    write("docs/a.md", f"see {write.root}/addons\n")
    write("docs/b.md", "see " + "/home/" + "petru/clone\n")
    write("docs/c.md", "see addons/ and /var/lib/odoo\n")
    assert len(broken(write, house.machine_paths)) == 2


def test_links_and_headings(write):
    write("docs/a.md", "[b](b.md) [no](no.md) [h](b.md#one-two) [n](b.md#three)\n")
    write("docs/b.md", "# One, `two`\n[web](https://example.org/x) [up](#one-two)\n")
    assert broken(write, house.links) == [
        "docs/a.md: broken link no.md",
        "docs/a.md: no heading for b.md#three",
    ]


def test_links_in_code_are_not_links(write):
    write("docs/a.md", "```\n[x](nowhere)\n```\n")
    assert not broken(write, house.links)


def test_both_languages_are_needed_once_there_is_one(write):
    write("addons/oda_x/i18n/ro.po", 'msgid "a"\nmsgstr "b"\n')
    assert broken(write, house.translations) == ["addons/oda_x/i18n/ru.po is missing"]


def test_long_files(write):
    write("addons/oda_x/models/a.py", "x = 1\n" * 401)
    write("addons/oda_x/tests/test_a.py", "x = 1\n" * 401)
    found = list(house.long_files(write.root, house.files(write.root)))
    assert found == ["addons/oda_x/models/a.py: 401 lines"]


def test_catalogue_of_translations():
    text = (
        'msgid ""\nmsgstr "Language: ro\\n"\n\n'
        'msgid "done"\nmsgstr "gata"\n\n'
        'msgid "empty"\nmsgstr ""\n\n'
        '#, fuzzy\nmsgid "maybe"\nmsgstr "poate"\n\n'
        'msgid ""\n"long "\n"text"\nmsgstr ""\n"text "\n"lung"\n\n'
        '#, python-format\nmsgid "%(n)s calls"\nmsgstr "%s apeluri"\n\n'
        '#~ msgid "old"\n#~ msgstr ""\n'
    )
    assert [(source, why) for _line, source, why in po.faults(text)] == [
        ("empty", "not translated"),
        ("maybe", "fuzzy"),
        ("%(n)s calls", "placeholders differ"),
    ]
