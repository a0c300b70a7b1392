# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Scheduling, child processes, install order, pytest results, the closing line."""

import socket
import sys
import threading
import time

import pytest

from oda_tools.gate import pytests
from oda_tools.gate.addons import AddonError, Catalogue
from oda_tools.gate.process import Interrupted, Processes
from oda_tools.gate.report import Report, Result
from oda_tools.gate.scheduler import Scheduler, Step

# -- scheduler ------------------------------------------------------------------------


def run(steps, width=2):
    skipped = []

    def note(step, why):
        skipped.append((step.name, why if isinstance(why, str) else type(why)))

    scheduler = Scheduler(steps, width, note, note)
    scheduler.run()
    return scheduler.outcome, skipped


def test_order_width_and_rank():
    seen, at_once, lock = [], [], threading.Lock()

    def work(name):
        def step():
            with lock:
                seen.append(name)
                at_once.append(name)
                assert len(at_once) <= 2
            time.sleep(0.02)
            with lock:
                at_once.remove(name)

        return step

    run(
        [
            Step("d", work("d"), after=("a", "b"), rank=1),
            Step("c", work("c"), rank=9),
            Step("b", work("b"), rank=2),
            Step("a", work("a"), rank=1),
        ]
    )
    assert seen[:2] == ["a", "b"]
    assert seen.index("d") > 1


def test_step_after_a_failed_one_is_skipped_and_said():
    steps = [
        Step("a", lambda: False),
        Step("b", lambda: True, after=("a",)),
        Step("c", lambda: True, after=("b",)),
        Step("d", lambda: True),
    ]
    outcome, skipped = run(steps)
    assert outcome == {"a": False, "b": False, "c": False, "d": True}
    assert skipped == [("b", "a"), ("c", "b")]


def test_broken_step_is_said_and_the_others_go_on():
    def breaks():
        raise KeyError("x")

    outcome, said = run([Step("a", breaks), Step("b", lambda: True)], width=1)
    assert outcome == {"a": False, "b": True}
    assert said == [("a", KeyError)]


def test_circle_is_refused():
    with pytest.raises(RuntimeError):
        run([Step("a", None, after=("b",)), Step("b", None, after=("a",))])


# -- processes ------------------------------------------------------------------------


def python(code):
    return [sys.executable, "-c", code]


def test_output_and_status(tmp_path):
    log = tmp_path / "x.log"
    outcome = Processes().run(python("print('hi'); exit(3)"), log, timeout=30)
    assert (outcome.rc, outcome.timed_out) == (3, False)
    assert "hi" in log.read_text()


def test_time_limit_ends_grandchildren_too(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    log = tmp_path / "x.log"
    outcome = Processes().run(python(code), log, timeout=1.5)
    assert outcome.timed_out
    pid = log.read_text().split()[-1]
    limit = time.monotonic() + 5
    while _lives(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_silence_is_a_limit_of_its_own(tmp_path):
    log = tmp_path / "x.log"
    code = "import time; print('hi', flush=True); time.sleep(60)"
    outcome = Processes().run(python(code), log, timeout=50, silence=1)
    assert outcome.timed_out and outcome.seconds < 20


def test_nothing_starts_after_close(tmp_path):
    processes = Processes()
    processes.close()
    with pytest.raises(Interrupted):
        processes.run(python(""), tmp_path / "x.log", timeout=5)


def test_close_ends_what_runs(tmp_path):
    processes = Processes()
    child = processes.start(python("import time; time.sleep(60)"), tmp_path / "x.log")
    processes.close()
    assert child.poll() is not None


def test_ports_are_not_handed_out_twice_and_not_when_busy():
    processes = Processes()
    first = processes.port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", first + 1))
        holder.listen()
        found = [processes.port() for _ in range(5)]
    assert len({first, *found}) == 6
    assert first + 1 not in found


# -- addons ---------------------------------------------------------------------------


@pytest.fixture
def catalogue(tmp_path):
    def make(**depends):
        for name, names in depends.items():
            place = "ours" if name.startswith("oda_") else "odoo"
            folder = tmp_path / place / name
            folder.mkdir(parents=True)
            auto = "auto" in name
            manifest = {"depends": names, "auto_install": auto}
            (folder / "__manifest__.py").write_text(repr(manifest))
        return Catalogue(tmp_path / "ours", [tmp_path / "odoo"])

    return make


HOUSE = {
    "base": [],
    "web": ["base"],
    "mail": ["web"],
    "crm": ["mail"],
    "crm_auto": ["crm", "mail"],
    "oda_base": ["mail"],
    "oda_crm": ["oda_base", "crm"],
    "oda_telephony": ["oda_crm"],
    "oda_mpass": ["oda_base"],
    "oda_dashboard": ["oda_telephony", "oda_mpass"],
}


def test_order_and_parents(catalogue):
    house = catalogue(**HOUSE)
    order = house.order()
    assert order.index("oda_base") == 0
    assert order.index("oda_dashboard") == 4
    assert house.parent("oda_base") is None
    assert house.parent("oda_mpass") == "oda_base"
    assert house.parent("oda_dashboard") == "oda_telephony"
    assert house.common_ground() == {"base", "web", "mail"}


def test_what_installs_itself_is_foreseen(catalogue):
    house = catalogue(**HOUSE)
    assert "crm_auto" in house.settled(house.closure("oda_crm"))
    assert "crm_auto" not in house.settled(house.closure("oda_base"))


def test_unknown_dependency_and_circle(catalogue):
    with pytest.raises(AddonError):
        catalogue(base=[], oda_a=["nowhere"])
    with pytest.raises(AddonError):
        catalogue(oda_b=["oda_c"], oda_c=["oda_b", "base"]).order()


# -- pytest results -------------------------------------------------------------------

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.system.test_a" name="test_one[x]"/>
<testcase classname="tests.system.test_a" name="test_two"><failure>E boom</failure>
</testcase>
<testcase classname="tests.system.test_a.TestC" name="test_m">
<skipped message="no phone"/></testcase>
</testsuite></testsuites>"""


def test_junit_against_the_files():
    result = Result("pytest", "system")
    names = {"test_a.py": {"test_one", "test_two", "test_m", "test_lost"}}
    pytests.judge(result, JUNIT, names)
    assert (result.passed, result.skipped, result.expected, result.ran) == (1, 1, 4, 3)
    assert "boom" in result.failures[0]
    assert "test_lost is in the file, did not run" in result.failures[1]


# -- report ---------------------------------------------------------------------------


def closing(*results):
    said = []
    report = Report(said.append)
    for result in results:
        report.add(result)
    return report.finish(), said[-1]


def test_closing_line():
    good = Result("python", "oda_crm", passed=7, expected=7, ran=7)
    assert closing(good) == (0, "7 passed, 0 failed")
    bad = Result("log", "oda_crm", failures=["x", "y"])
    assert closing(good, bad) == (1, "7 passed, 2 failed")


def test_testing_nothing_is_a_failure():
    assert closing() == (1, "0 passed, 1 failed")
