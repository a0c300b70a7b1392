# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""pytest folders under tests/: the whole system in a browser, sandbox, tools."""

import json
import xml.etree.ElementTree as ElementTree

from oda_tools.gate.counting import pytest_functions
from oda_tools.gate.odoo_tests import shortened
from oda_tools.gate.report import Result

# measured by `make bench`, not here
OTHERS = ("bench", "helpers", "artifacts")


def folders(root):
    """Folders of tests/ that hold pytest files, "system" (the slow one) first."""
    found = [
        folder
        for folder in sorted((root / "tests").glob("*/"))
        if folder.is_dir()
        and folder.name not in OTHERS
        and any(folder.rglob("test_*.py"))
    ]
    return sorted(found, key=lambda folder: (folder.name != "system", folder.name))


def judge(result, junit, functions):
    """Fill a Result from a junit file and from what the files promise.

    :param str junit: XML text
    :param dict functions: of :func:`oda_tools.gate.counting.pytest_functions`
    """
    seen = set()
    for case in ElementTree.fromstring(junit).iter("testcase"):
        name = case.get("name", "").partition("[")[0]
        where = f"{case.get('classname', '')}.{case.get('name', '')}"
        seen.add((case.get("classname", ""), name))
        wrong = [part for part in case if part.tag in ("failure", "error")]
        skip = case.find("skipped")
        if wrong:
            text = shortened(wrong[0].text or wrong[0].get("message") or "")
            result.failures.append(f"  {where}\n    {text}")
        elif skip is not None:
            result.skipped += 1
            result.notes.append(f"skipped: {where}: {skip.get('message', '')}")
        else:
            result.passed += 1
        result.ran = (result.ran or 0) + 1
    result.expected = sum(map(len, functions.values()))
    for file, names in functions.items():
        module = file.removesuffix(".py").replace("/", ".")
        for name in sorted(names):
            if not any(n == name and _is_in(module, c) for c, n in seen):
                result.failures.append(f"  {file}: {name} is in the file, did not run")


def _is_in(module, classname):
    return f".{module}." in f".{classname}."


def run(context, folder, extra_env=None, timeout=900):
    """Run one folder in the venv; its servers' logs are checked as well."""
    log = context.log("pytest", folder.name)
    junit = context.logs / f"pytest-{folder.name}.xml"
    result = Result("pytest", folder.name, log=log, expected=0, ran=0)
    tools = str(context.root / "tools")
    env = {
        "PYTHONPATH": f"{tools}:{context.root}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ODA_TEST_LOGS": str(context.logs),
        **(extra_env or {}),
    }
    argv = [context.runtime.python, "-m", "pytest", "-q", "-ra", "--color=no"]
    argv += ["-p", "no:cacheprovider", f"--junitxml={junit}", folder]
    outcome = context.processes.run(
        argv, log, timeout=timeout, env=context.runtime.env(env), cwd=context.root
    )
    if junit.exists():
        judge(result, junit.read_text("utf-8"), pytest_functions(folder))
    if outcome.timed_out or (outcome.rc and not result.failures):
        context.end_well(result, outcome, "pytest")
    result.seconds = outcome.seconds
    context.report.add(result)
    for path in sorted(context.logs.glob(f"{folder.name}-odoo*.log")):
        context.judge_log(path.stem, path, _expected(context, folder))


def _expected(context, folder):
    """Log lines that these tests said they would provoke."""
    file = context.logs / f"{folder.name}-expected.jsonl"
    if not file.exists():
        return ()
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
