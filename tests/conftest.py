# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Fixtures of the whole-system tests: a served Odoo, the sandbox, a browser.

``make test`` runs them. One file while writing it, from the root of the clone::

    PYTHONPATH=tools:. .local/venv/bin/python -m pytest tests/system/test_x.py

Nothing here starts before a test asks for it, so folders that need no server
(sandbox, unit_tools) pay nothing.
"""

import re
import shutil
from pathlib import Path

import pytest

ARTIFACTS = Path(__file__).parent / "artifacts"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # a call pop rings and asks for nothing: no real microphone, no prompt
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
DESK = {"width": 1366, "height": 768}


@pytest.fixture(scope="session")
def runtime():
    """The clone's Runtime: Odoo, PostgreSQL, sandbox."""
    from oda_tools.runtime import Runtime

    with Runtime.prepare(dev=True) as prepared:
        yield prepared


@pytest.fixture(scope="session")
def system(runtime):
    """The suite as an operator runs it, on free ports and with demo data."""
    from tests.helpers.system import System

    with System(runtime) as running:
        yield running


@pytest.fixture(scope="session")
def artifacts():
    """Folder for screenshots; it ignores itself in git."""
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / ".gitignore").write_text("*\n")
    return ARTIFACTS


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium (Playwright's Browser), one for all tests."""
    from playwright.sync_api import sync_playwright

    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    assert program, "Chromium was not found"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser, system, artifacts, request):
    """Opens pages, each in a context (a person's browser) of its own.

    ``new_page(viewport={"width": 360, "height": 740})`` passes options to Playwright.
    A page that logged a JavaScript error, or got a 5xx, fails its test; every page of
    a failed test leaves a screenshot in tests/artifacts.
    """
    pages, faults = [], []

    def watch(page):
        page.on("pageerror", lambda error: faults.append(f"JavaScript: {error}"))
        page.on(
            "response",
            lambda answer: (
                answer.status >= 500 and faults.append(f"{answer.status} {answer.url}")
            ),
        )

    def opened(**options):
        options = {"viewport": DESK, "base_url": system.url, **options}
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        page = context.new_page()
        watch(page)
        pages.append(page)
        return page

    opened.faults = faults
    yield opened
    report = getattr(request.node, "report_call", None)
    for number, page in enumerate(pages):
        if report is not None and report.failed and not page.is_closed():
            name = re.sub(r"\W+", "-", request.node.name).strip("-")
            page.screenshot(path=artifacts / f"failed-{name}-{number}.png")
        page.context.close()
    assert not faults, f"the browser saw errors: {faults}"


@pytest.fixture
def page(new_page):
    """One page at desktop size."""
    return new_page()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets fixtures know, while they end, whether their test failed."""
    outcome = yield
    if call.when == "call":
        item.report_call = outcome.get_result()
