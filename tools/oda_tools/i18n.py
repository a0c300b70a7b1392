# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""`make i18n`: bring the translation files of our addons up to date.

A throw-away database with all our addons gives the source terms; what is already
translated in the ``.po`` files is kept, by its exact source term. The files of an
addon change only when its terms do.

The first half runs in our own Python, the second (from :func:`refresh` on) inside
Odoo's shell, where polib and the addons are at hand.
"""

import ast
import io
import os
import re
import subprocess
from datetime import datetime, timezone
from xml.etree import ElementTree

from oda_tools import database, paths, settings
from oda_tools.console import Stage, Stop, say

LANGUAGES = ("ro", "ru")
#: letters that Romanian is often typed with, and the right ones
CEDILLA = str.maketrans("şţŞŢ", "șțȘȚ")
#: fields that an addon may word anew in a record of another addon
NAMED = ("name", "description")
#: what Odoo puts in at run time: %s, %(name)s, {name}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def i18n():
    """The command; ``ADDON`` chooses one addon.

    :return: 1 when something is left to translate, else 0
    :raise Stop: when the terms cannot be read, in words
    """
    from oda_tools.runtime import Runtime

    chosen = _chosen(os.environ.get("ADDON", ""))
    with Runtime.prepare() as runtime:
        name = f"oda_i18n_{os.getpid()}"
        try:
            with Stage(f"database {name}") as stage:
                _install(stage, runtime, name)
            return _refresh_in_shell(runtime, name, chosen)
        finally:
            runtime.dropdb(name)


def _chosen(addon):
    known = settings.our_addons()
    if addon and addon not in known:
        raise Stop(f"There is no addon {addon!r}. Known: {', '.join(known)}.")
    return [addon] if addon else list(known)


def _install(stage, runtime, name):
    """All our addons with demo data: its names are translated too."""
    modules = ",".join([*database.BARE, *settings.our_addons()])
    log = paths.LOGS / "i18n.log"
    stage.doing("installing all addons")
    runtime.createdb(name)
    options = ("--with-demo", "--stop-after-init", "--max-cron-threads=0", "--no-http")
    if runtime.run_odoo(name, "-i", modules, *options, log_path=log):
        raise Stop(f"The addons could not be installed. See {log}.")


def _refresh_in_shell(runtime, name, addons):
    code = f"from oda_tools.i18n import refresh\nexit(refresh(env, {addons!r}))\n"
    shell = subprocess.run(
        runtime.odoo_argv(name, "--no-http", "--log-level=error", command="shell"),
        input=code,
        text=True,
        env=runtime.env({"PYTHONPATH": str(paths.ROOT / "tools")}),
        check=False,
    )
    if shell.returncode not in (0, 1):
        raise Stop("The terms could not be read from the database (see above).")
    return shell.returncode


# -- inside Odoo's shell ------------------------------------------------------------


def refresh(env, addons):
    """Rewrite ``<addon>.pot`` and the ``.po`` files; tell what is not translated.

    :param env: Odoo environment of a database where the addons are installed
    :param list addons: names of addons
    :return: 0 when everything is translated and sound, else 1
    """
    import polib

    failed = False
    for addon in addons:
        folder = paths.ADDONS / addon / "i18n"
        folder.mkdir(exist_ok=True)
        template = _template(env, addon)
        _save(template, folder / f"{addon}.pot")
        for language in LANGUAGES:
            path = folder / f"{language}.po"
            catalogue = polib.pofile(str(path)) if path.exists() else polib.POFile()
            _merge(catalogue, template, language)
            _save(catalogue, path)
            problems = list(check(catalogue, language))
            failed |= bool(problems)
            done = len(catalogue.translated_entries())
            say(f"  {addon:<16} {language}  {done} of {len(catalogue)} translated")
            for problem in problems:
                say(f"      {problem}")
    return int(failed)


def _template(env, addon):
    """The addon's terms, as a polib.POFile: Odoo's own export and one thing more.

    Odoo exports the records that an addon makes. Records of other addons that it only
    names or describes (`_oda_load_names` in its data) are added here.
    """
    import polib

    from odoo.tools.translate import PoFileWriter, TranslationModuleReader

    rows = [*TranslationModuleReader(env.cr, modules=[addon]), *_named(env, addon)]
    buffer = io.BytesIO()
    PoFileWriter(buffer, lang=None).write_rows(rows)
    return polib.pofile(buffer.getvalue().decode())


def _named(env, addon):
    """Rows for the names that the addon gives to records of other addons."""
    for path in sorted((paths.ADDONS / addon).glob("views/*.xml")):
        tree = ElementTree.parse(path)
        for function in tree.iterfind(".//function[@name='_oda_load_names']"):
            for xmlid in ast.literal_eval(function.findall("value")[1].get("eval")):
                record = env.ref(xmlid).with_context(lang="en_US")
                if record._name == "ir.model.fields":
                    continue  # Odoo's own export has the labels that we give
                for name in NAMED:
                    if name in record._fields and record[name]:
                        where = f"{record._name},{name}"
                        yield addon, "model", where, xmlid, record[name], "", ()


def _merge(catalogue, template, language):
    """Give the catalogue the template's terms in its order; gone ones are dropped."""
    old = {entry.msgid: entry for entry in catalogue if not entry.obsolete}
    catalogue.clear()
    for entry in template:
        known = old.get(entry.msgid)
        text = known.msgstr if known and not known.fuzzy else ""
        if language == "ro":
            text = text.translate(CEDILLA)
        catalogue.append(_copy(entry, text))
    catalogue.header = template.header
    catalogue.metadata = {
        **template.metadata,
        "Language": language,
        "Plural-Forms": _PLURALS[language],
    }


_PLURALS = {
    "ro": "nplurals=3; plural=(n==1 ? 0 : (n==0 || (n%100>0 && n%100<20)) ? 1 : 2);",
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
    "(n%100<10 || n%100>=20) ? 1 : 2);",
}


def _copy(entry, text):
    import polib

    return polib.POEntry(
        msgid=entry.msgid,
        msgstr=text,
        comment=entry.comment,
        occurrences=entry.occurrences,
        flags=[flag for flag in entry.flags if flag != "fuzzy"],
    )


def check(catalogue, language):
    """Say what is wrong in a catalogue, one line of text each.

    :param catalogue: polib.POFile
    """
    for entry in catalogue:
        if not entry.msgstr:
            yield f"not translated: {entry.msgid!r}"
            continue
        asked, given = (
            sorted(PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgstr)
        )
        if asked != given:
            yield f"placeholders differ: {entry.msgid!r}"
        if language == "ro" and entry.msgstr != entry.msgstr.translate(CEDILLA):
            yield f"ş or ţ with a cedilla: {entry.msgid!r}"


def _save(catalogue, path):
    """Write the file, unless only its dates would change."""
    import polib

    if path.exists():
        old = polib.pofile(str(path))
        kept = {k: v for k, v in old.metadata.items() if k.endswith("-Date")}
        catalogue.metadata.update(kept)
        if str(catalogue) == str(old):
            return
        catalogue.metadata.update({k: _now() for k in kept})
    catalogue.save(str(path))


def _now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M+0000")
