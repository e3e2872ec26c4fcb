"""The page in a real browser, with neither a graph nor a robot behind it.

Nothing is drawn in 3D: without a graphics card a browser needs a second for each such picture.
"""

import shutil
import socket
import time

import pytest

pytest.importorskip("viser", reason="needs the view extra")

from fmrl_robot.robots import PANDA
from fmrl_robot.view.page import Actions, Page
from fmrl_robot.view.run_log import RunLog

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def asked():
    return []


class NothingInIt:
    """Stands for the stage."""

    def __init__(self, scene, spec):
        pass


@pytest.fixture(scope="module")
def served(asked):
    def note(kind):
        return lambda *text: asked.append((kind, *text))

    actions = Actions(
        instruct=note("instruct"), stop=note("stop"), rearm=note("rearm"), answer=note("answer")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fmrl_robot.view.page.Stage", NothingInIt)
        page = Page(PANDA, actions, port=free_port())
    yield page
    page.close()


@pytest.fixture(scope="module")
def browser(served):
    from playwright import sync_api

    assert CHROMIUM, "expected a Chromium on the PATH, found none: 'make test' installs it"
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        tab = started.new_page(viewport={"width": 800, "height": 700})
        tab.goto(f"http://127.0.0.1:{served.port}")
        tab.get_by_role("textbox").first.wait_for(timeout=60_000)
        yield tab
        started.close()


def until(done, tab, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end, "waited in vain"
        tab.wait_for_timeout(50)


@pytest.mark.timeout(120)
def test_enter_sends_the_whole_instruction_once_and_empties_the_box(browser, asked):
    box = browser.get_by_role("textbox").first
    for text in ("open the drawer", "press the button"):
        asked.clear()
        box.click()
        browser.keyboard.type(text)
        browser.keyboard.press("Enter")
        until(lambda: asked, browser)
        until(lambda: box.input_value() == "", browser)
        browser.wait_for_timeout(300)
        assert asked == [("instruct", text)]
        assert box.input_value() == ""
    asked.clear()
    browser.keyboard.press("Enter")  # nothing to send
    browser.wait_for_timeout(300)
    assert asked == []


@pytest.mark.timeout(120)
def test_nothing_opens_over_the_stop_button(browser, asked):
    asked.clear()
    browser.get_by_role("textbox").first.hover()
    browser.wait_for_timeout(1000)  # a hint would open after half a second
    stop = browser.get_by_role("button", name="STOP")
    box = stop.bounding_box()
    for share in (0.1, 0.5, 0.9):
        on_top = browser.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).closest('button')?.innerText",
            [box["x"] + share * box["width"], box["y"] + box["height"] / 2],
        )
        assert on_top == "STOP"
    stop.click()
    until(lambda: asked == [("stop",)], browser)


@pytest.mark.timeout(120)
def test_a_stop_is_seen_in_page_and_tab_and_goes_away_after_rearming(browser, served, asked):
    asked.clear()
    log = RunLog(robot="panda")
    log.moves, log.gate_state, log.gate_reason = True, "stopped", "411: asked to stop"
    rearm = browser.get_by_role("button", name="Re-arm")
    until(lambda: browser.title() == "panda · fmrl_robot", browser)
    assert rearm.is_disabled()
    served.show_log(log, {}, 0.0)
    browser.get_by_text("411: asked to stop").wait_for()
    until(lambda: "STOPPED" in browser.title(), browser)
    until(rearm.is_enabled, browser)
    rearm.click()
    until(lambda: asked == [("rearm",)], browser)
    log.gate_state, log.gate_reason = "armed", ""
    served.show_log(log, {}, 0.0)
    browser.get_by_text("READY").wait_for()
    assert browser.get_by_text("STOPPED").count() == 0
    until(lambda: browser.title() == "panda · fmrl_robot", browser)
    until(rearm.is_disabled, browser)
