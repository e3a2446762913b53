"""The pages in a real browser: a clinician, a parent, sharing, printing, long runs, errors, accessibility."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 240.0  # a machine with much to do takes its time
INFANT = "copies=2&age_months=6&years=1&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from=0"
SWITCH = (
    "copies=2&age_months=8&years=1&present.therapy=nusinersen&present.since_months=3&p1=Go+on&p2=&p2.stop_present=1"
    "&present.pause.1.from=1&present.pause.1.to=2&present.late=3&p2.stop_month=3&p2.1.what=risdiplam&p2.1.begins=after&p2.1.after=0&p2.1.pause.1.from=6&p2.1.pause.1.to=8"
    "&p2.1.dose.1.from=10&p2.1.dose.1.percent=50&p2.2.what=breathing_support&p2.2.begins=fvc_percent_below"
    "&p2.2.level=50"
    "&p2.3.what=cell_therapy&p2.3.from=2&p2.3.set.doses=4"
)
PHONE, WIDE, ZOOMED = (390, "dark"), (1440, "light"), (320, "light")  # 320: 1280 pixels at 400 % zoom
PAGES = {
    "/window?years=1": (WIDE,), "/explore?" + INFANT: (PHONE,), "/evidence": (WIDE,),
    "/explore?voice=expert&" + SWITCH: (WIDE, PHONE, ZOOMED),
    "/evidence?words=walking": (ZOOMED,), "/evidence/study/ENDEAR": (PHONE,), "/trust": (ZOOMED,), "/runs": (WIDE,),
    "/sheet?" + INFANT: (PHONE,), "/evidence/study/nothing": (PHONE,), "/cells": (PHONE,),
    "/cells/offer": (PHONE, WIDE, ZOOMED),
    "/cells/offer/result?registry_number=NCT02855112&answers.protocol=no": (PHONE,), "/cells/protocol": (PHONE,),
    "/cells/addon?" + INFANT: (WIDE,), "/trials": (ZOOMED,), "/trials/endear": (PHONE,),
    "/saved": (PHONE, WIDE, ZOOMED), "/cells/uncontrolled": (PHONE, WIDE, ZOOMED),
    "/trials/own": (PHONE, WIDE),
}  # fmt: skip


def until(page: Any, condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition; the pages allow no text to be run as a program, so that it is asked from outside."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if found := condition():
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"waited for {what} in vain at {page.url}")


def status(page: Any) -> str:
    return page.locator("#status").inner_text()


def picture(page: Any) -> None:
    """Scroll to the pictures, which are drawn when they come near, and wait for one."""

    def drawn() -> int:
        page.locator("#pictures, #starts").scroll_into_view_if_needed()
        return page.locator("figure svg").count()

    until(page, drawn, "a picture")


def settled(page: Any) -> None:
    until(page, lambda: status(page) == "Up to date, with what we do not know.", "the full result")


@pytest.fixture
def open_page(browser: Any, server: str) -> Iterator[Callable[..., Any]]:
    contexts: list[Any] = []
    complaints: list[str] = []

    def opened(address: str, *, phone: bool = False, dark: bool = False) -> Any:
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        context = browser.new_context(
            viewport=size,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("request", lambda request: complaints.append(request.url) if outside(request.url) else None)
        page.goto(server + address)
        return page

    def outside(url: str) -> bool:
        return not url.startswith((server, "data:", "blob:"))

    yield opened
    for context in contexts:
        context.close()
    expected = ("404", "409", "422")
    assert not [text for text in complaints if not any(code in text for code in expected)]


def violations(page: Any) -> list[str]:
    """What axe-core finds. It is put in by the browser's own tools, past the page's policy."""
    tools = page.context.new_cdp_session(page)
    tools.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    run = f"axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then((found) => JSON.stringify(found.violations))"
    found = tools.send("Runtime.evaluate", {"expression": run, "awaitPromise": True})
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in json.loads(found["result"]["value"])
        for node in one["nodes"]
    ]


def too_small(page: Any) -> list[str]:
    """Targets a weak hand would miss; links within a sentence are as high as their line."""
    return page.evaluate(
        """() => [...document.querySelectorAll('a, button, input, select, summary')].filter((one) => {
            if (one.closest('p, li, figcaption, td') && one.tagName === 'A' && !one.matches('.button')) return false;
            if (one.closest('.skip, .switch, .tick') || one.matches('.skip')) return false;
            const box = one.getBoundingClientRect();
            return box.width > 0 && (box.height < 43.5 || box.width < 24);
        }).map((one) => `${one.tagName} ${one.textContent.slice(0, 40)} ${one.getBoundingClientRect().height}`)"""
    )


@pytest.mark.parametrize("address", PAGES, ids=lambda address: address.split("?")[0])
def test_every_page_is_accessible(open_page: Any, address: str) -> None:
    page = open_page(address, phone=True, dark=True)
    for width, scheme in PAGES[address]:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        if page.locator("#pictures, #starts").count():
            picture(page)
        assert violations(page) == []
        assert too_small(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "scrolls sideways"


@pytest.mark.parametrize("report", ["/cells/evidence", "/trust/credibility", "/trust/validation"])
def test_a_report_is_accessible(open_page: Any, server: str, report: str) -> None:
    """Reports run no script here; axe-core needs to, so that they are looked at without their policy."""
    text = urllib.request.urlopen(server + report).read().decode()
    text = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
    page = open_page("/static/icon.svg", phone=True)
    page.route("**/as-it-is", lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto(server + "/as-it-is")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "scrolls sideways"


def test_a_parent_asks_what_cells_would_add_and_checks_an_offer(open_page: Any, server: str) -> None:
    page = open_page("/explore?" + INFANT, phone=True)
    page.locator("#to-cells").click()
    until(page, lambda: "/cells/addon?copies=2" in page.url, "the question")
    assert "No drug; Nusinersen" in page.locator("form.ask").inner_text()
    page.locator("[id='ask.plan']").select_option("2")
    page.locator("[id='ask.people']").fill("8")
    page.get_by_role("button", name="Begin").click()
    until(page, lambda: "/runs/" in page.url, "the run")
    assert "Nusinersen, for a child of 6 months" in page.locator("h1").inner_text()
    cancel = page.get_by_role("button", name=re.compile("Cancel"))
    until(page, cancel.count, "the way to end it")
    cancel.click()
    remove = page.get_by_role("button", name=re.compile("Remove"))
    until(page, remove.count, "its end")
    remove.click()
    until(page, lambda: page.url == server + "/runs", "the list")
    page.goto(server + "/cells/offer")
    page.locator("[id='answers.protocol-no']").check()
    page.get_by_role("button", name="Check").click()
    until(page, lambda: "/cells/offer/result" in page.url, "the result")
    assert "Do not go on" in page.locator("#verdict").inner_text()


def test_a_clinician_builds_plans_by_keyboard_and_sees_the_numbers_of_the_api(
    open_page: Any, server: str
) -> None:
    page = open_page("/explore?" + INFANT)
    page.locator("#voice-plain").focus()
    page.keyboard.press("ArrowRight")  # to professionals
    until(page, lambda: page.locator(".glance table").count(), "the expert's table")
    page.locator("#add-plan").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "p3-1-what"
    page.locator("#p3-1-what").select_option("risdiplam")
    page.locator("#p3-1-from").fill("2")
    until(page, lambda: "Risdiplam from month 2" in page.locator(".glance").inner_text(), "the third plan")
    assert "p3.1.what=risdiplam" in page.url
    cell = page.locator(".glance tr", has_text="Risdiplam from month 2").locator("td").first.inner_text()
    described = {
        "copies": 2, "age_months": 6, "years": 1,
        "plans": [{"name": "No drug"}, {"courses": [{"therapy": "nusinersen"}]},
                  {"courses": [{"therapy": "risdiplam", "from_months": 2}]}],
    }  # fmt: skip
    asked = urllib.request.Request(
        server + "/api/v1/explore", json.dumps(described).encode(), {"content-type": "application/json"}
    )
    rows = json.load(urllib.request.urlopen(asked))["summary"]
    (share,) = [
        row["values"]["knowledge.mean"]
        for row in rows
        if (row["quantity"], row["measure"], row.get("arm"), row["visit_month"])
        == ("sit_5s", "able_share", "plan_3", 12)
    ]
    settled_or_quick = re.match(r"\d+", cell)
    assert settled_or_quick is not None
    assert (
        abs(int(settled_or_quick[0]) - 100 * share) < 12
    )  # the full result averages more sets of parameters


def test_a_parent_reads_shares_prints_and_goes_back(open_page: Any, server: str) -> None:
    page = open_page("/explore?" + INFANT, phone=True)
    settled(page)
    text = page.locator("#answer").inner_text()
    assert "Of 100 children like this" in text
    assert "What we do not know" in text
    assert not re.search(r"\b(died|death|alive|survival)\b", text)
    first = page.url
    page.locator("#survival").check()
    until(page, lambda: page.locator("[data-topic=survival]").count(), "survival, once asked for")
    again = open_page(page.url.removeprefix(server))
    assert again.locator("#survival").is_checked()
    page.go_back()
    until(page, lambda: page.url == first and not page.locator("#survival").is_checked(), "the step back")
    page.goto(
        page.locator("#to-sheet").get_attribute("href")
        and server + page.locator("#to-sheet").get_attribute("href")
    )
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == 1


def test_a_switch_a_rule_and_a_pause_are_built_by_keyboard(open_page: Any) -> None:
    page = open_page("/explore?" + INFANT, phone=True)

    def press(selector: str) -> None:
        page.locator(selector).focus()
        page.keyboard.press("Enter")

    press(".plan[data-plan='2'] .switch-course")
    assert page.evaluate("document.activeElement.id") == "p2-2-what"
    assert page.locator("#p2-1-to").input_value() == "6"
    assert page.locator("#p2-2-begins").input_value() == "after"
    page.locator("#p2-2-wait").fill("30")
    press(".plan[data-plan='2'] .course:nth-child(2) .more summary")
    press(".plan[data-plan='2'] .course:nth-child(2) .add-piece[data-kind='pause']")
    page.locator("[id='p2-2-pause.1.from']").fill("8")
    page.locator("[id='p2-2-pause.1.to']").fill("9")
    assert page.locator(".plan[data-plan='2'] .pause-mark").count() == 1
    press(".plan[data-plan='2'] .add-course")
    page.locator("#p2-3-what").select_option("breathing_support")
    page.locator("#p2-3-begins").select_option("fvc_percent_below")
    until(
        page,
        lambda: "Therapy 3 of plan 2, Value: is missing" in page.locator("#problem").inner_text(),
        "the reason",
    )
    page.get_by_role("button", name="Go to the field").first.press("Enter")
    assert page.evaluate("document.activeElement.id") == "p2-3-level"
    page.locator("#p2-3-level").fill("50")
    until(page, lambda: "Breathing support begins in" in page.locator("#answer").inner_text(), "the answer")
    assert page.locator("[aria-invalid]").count() == 0
    for part in (
        "p2.1.to=6",
        "p2.2.after=1",
        "p2.2.wait=30",
        "p2.2.pause.1.from=8",
        "p2.3.begins=fvc_percent_below",
    ):
        assert part in page.url
    again = open_page("/" + page.url.split("/", 3)[3])
    assert again.locator("#p2-2-begins").input_value() == "after"
    assert again.locator("#p2-2-after").input_value() == "1"
    assert again.locator("[id='p2-2-pause.1.to']").input_value() == "9"
    assert again.locator("#p2-3-level").input_value() == "50"
    again.locator(".plan[data-plan='2'] .course:nth-child(1) .remove-course").press("Enter")
    until(again, lambda: "p2.2.begins=fvc_percent_below" in again.url, "the new numbers")


def test_bars_are_dragged_and_the_field_follows(open_page: Any) -> None:
    page = open_page("/explore?" + INFANT)
    bar = page.locator(".plan[data-plan='2'] .grip.from")
    bar.scroll_into_view_if_needed()
    box, track = bar.bounding_box(), page.locator(".plan[data-plan='2'] .track").bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(track["x"] + track["width"] / 2, box["y"] + 8, steps=4)
    page.mouse.up()
    assert page.locator("#p2-1-from").input_value() == "6"
    until(page, lambda: "p2.1.from=6" in page.url, "the address")
    page.locator("#p2-1-to").fill("10")
    bar = page.locator(".plan[data-plan='2'] .bar").bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + 8)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] / 2 - track["width"] / 4, bar["y"] + 8, steps=4)
    page.mouse.up()
    assert [page.locator(f"#p2-1-{part}").input_value() for part in ("from", "to")] == ["3", "7"]
    page.locator("summary", has_text="Present therapy").press("Enter")
    page.locator("#present").select_option("risdiplam")
    page.locator("[id='present.since_months']").fill("2")
    page.locator("#present-more > summary").press("Enter")
    page.locator("#present-more .add-piece[data-kind='pause']").press("Enter")
    assert page.evaluate("document.activeElement.id") == "present-pause.1.from"
    page.locator("[id='present-pause.1.from']").fill("1")
    until(
        page,
        lambda: "present.pause.1.from=1&present.pause.1.to=9" in page.url,
        "the pause of the present therapy",
    )
    assert page.locator(".bar.present + .pause-mark").count() == 2, "it holds in both plans"


def test_errors_say_what_to_do_and_keep_what_was_entered(open_page: Any) -> None:
    page = open_page("/explore?" + INFANT + "&onset_months=9")
    until(page, lambda: page.locator("#problem").is_visible(), "the problem")
    assert (
        "Age at the first signs: lies after today's age of 6 months" in page.locator("#problem").inner_text()
    )
    assert page.locator("#onset_months").input_value() == "9"
    page.locator("#onset_months").fill("4")
    until(page, lambda: page.locator("#problem").is_hidden(), "the problem to go")


def test_an_own_design_says_which_line_is_wrong_and_runs_when_it_is_right(open_page: Any) -> None:
    page = open_page("/trials/own?from=endear")
    text = page.locator("#design_text")
    right = text.input_value()
    text.fill(right.replace("patients:", "pateints:", 1))
    page.get_by_role("button", name="Run it many times").click()
    until(page, lambda: page.locator("#problem").is_visible(), "the problem")
    wrong = 1 + next(place for place, line in enumerate(right.splitlines()) if line.startswith("patients:"))
    page.get_by_role("button", name=f"Line {wrong}", exact=True).first.click()
    assert page.evaluate("getSelection().toString()").startswith("pateints:")
    text.fill(right)
    page.get_by_role("button", name="Run it many times").click()
    until(page, lambda: "/runs/" in page.url, "the run")
    cancel = page.get_by_role("button", name=re.compile("Cancel"))
    until(page, cancel.count, "the way to end it")
    cancel.click()
    remove = page.get_by_role("button", name=re.compile("Remove"))
    until(page, remove.count, "its end")
    remove.click()


def test_layers_of_uncertainty_are_left_out_on_the_page(open_page: Any) -> None:
    page = open_page("/explore?" + INFANT)
    assert page.locator("#layers").is_hidden()
    page.locator("#voice-expert").check()
    page.locator("#leave-out-people").check()
    until(page, lambda: "leave_out=people" in page.url, "the address")

    def drawn() -> bool:
        page.locator("[data-topic=layers]").scroll_into_view_if_needed()
        return "own discrepancy" in page.locator("[data-topic=layers]").inner_text()

    until(page, lambda: page.locator("[data-topic=layers]").count() and drawn(), "the layers")
    assert "between people" not in page.locator("[data-topic=layers] .picture").get_attribute("aria-label")


def test_pictures_can_be_kept_and_a_larger_run_survives_a_reload(open_page: Any, server: str) -> None:
    page = open_page("/explore?" + INFANT)
    picture(page)
    with page.expect_download() as kept:
        page.locator("figure .tools a", has_text="SVG").first.click()
    assert Path(kept.value.path()).read_bytes().startswith(b"<svg")
    page.locator("#larger").click()
    until(page, lambda: "has begun" in page.locator("#kept").inner_text(), "the run")
    page.goto(server + "/runs")
    until(page, lambda: page.locator("progress").count(), "its progress")
    page.reload()
    cancel = page.get_by_role("button", name=re.compile("Cancel"))
    until(page, cancel.count, "the run after a reload")
    assert violations(page) == []
    cancel.first.click()
    until(page, lambda: "cancelled" in page.locator("#runs").inner_text(), "the end of the run")
    page.get_by_role("button", name=re.compile("Remove")).first.click()
    until(page, lambda: status(page) == "No runs yet.", "an empty list")


def test_plans_are_saved_listed_opened_renamed_and_deleted_by_keyboard(open_page: Any, server: str) -> None:
    page = open_page("/explore?" + INFANT, phone=True)
    page.locator("#years").fill("1.5")
    page.locator("#save-title").focus()
    page.keyboard.type("Early start")
    page.keyboard.press("Enter")
    until(page, lambda: "Saved as “Early start”" in page.locator("#save-status").inner_text(), "the save")
    page.keyboard.press("Enter")  # the same title again
    until(page, lambda: "is saved already" in page.locator("#save-status").inner_text(), "the refusal")
    page.get_by_role("button", name="Replace it").click()
    until(page, lambda: "Saved as" in page.locator("#save-status").inner_text(), "the second save")
    page.locator("#save-title").fill(" ")
    page.keyboard.press("Enter")
    until(
        page, lambda: "Not saved. title: must have" in page.locator("#save-status").inner_text(), "the reason"
    )
    page.goto(server + "/saved")
    assert "A child of 6 months with 2 SMN2 copies." in page.locator("#saved-list").inner_text()
    for words in ("Rename", "Delete"):
        page.locator("#saved-list summary", has_text=words).focus()
        page.keyboard.press("Enter")
    for width, scheme in (PHONE, WIDE, ZOOMED):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
        assert too_small(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "scrolls sideways"
    page.get_by_label("New title").fill("Late start")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#saved-list h2").inner_text() == "Late start", "the new title")
    page.get_by_role("link", name="Open: Late start").click()
    until(page, lambda: "/explore?" in page.url, "Explore")
    assert page.locator("#years").input_value() == "1.5"
    page.goto(server + "/saved")
    page.locator("#saved-list summary", has_text="Delete").press("Enter")
    page.get_by_role("button", name="Delete for good “Late start”").press("Enter")
    until(page, lambda: status_of_saved(page) == "Deleted. Nothing is saved any more.", "the deletion")


def status_of_saved(page: Any) -> str:
    return page.locator("#save-status").inner_text()


def test_the_example_client_prints_what_it_says(server: str, checkout: Path) -> None:
    client = checkout / "docs" / "reference" / "web_api_client.py"
    answer = subprocess.run(
        [sys.executable, str(client), server], capture_output=True, text=True, timeout=PATIENCE
    )
    assert answer.returncode == 0, answer.stderr
    assert re.search(
        r"^Nusinersen: of 100 children like this, about \d+ sit after 12 months$", answer.stdout, re.MULTILINE
    )
