"""Prefect's dashboard as its users see it: fill the form, run it, see it Completed with its artifacts."""

import re

import pytest
from browser import keep, needs_chromium
from up_stack import FOR_THE_TOUR
from waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.browser, needs_chromium, pytest.mark.timeout(600)]

RECIPES = ("softmax_regression", "relu_dropout_naive") if FOR_THE_TOUR else ("small", "small_best")


@pytest.fixture
def dashboard(stack, page):
    page.goto(f"{stack.prefect_api.removesuffix('/api')}/deployments")
    return page


def test_a_form_is_filled_and_its_run_is_watched_to_its_artifacts(stack, dashboard):
    from playwright.sync_api import expect

    dashboard.get_by_role("link", name="on-demand").click()
    dashboard.get_by_role("button", name="Run", exact=True).click()
    dashboard.get_by_text("Custom run").click()
    for words in ("Suite", "Recipes instead of a suite", "First seed", "Repeats", "Data", "Promote the best"):
        expect(dashboard.get_by_text(re.compile(f"^{words}"))).to_be_visible()
    dashboard.get_by_text("No items selected").click()
    dashboard.keyboard.press("ArrowDown")
    for name in RECIPES:
        dashboard.locator(".p-select-option").get_by_text(name, exact=True).click()
    dashboard.get_by_text("Parameters", exact=True).click()  # which closes the list
    if not FOR_THE_TOUR:
        dashboard.locator("textarea").first.fill(str(stack.data))
    keep(dashboard, "prefect-form")
    dashboard.get_by_role("button", name="Submit").click()

    runs = {"flow_runs": {"name": {"any_": [f"train {', '.join(RECIPES)}"]}}}
    (run,) = wait_for(lambda: stack.ask("flow_runs/filter", runs))
    assert run["parameters"]["recipes"] == [*RECIPES]
    dashboard.reload()  # the list has been seen not to show a new run for 40 s
    dashboard.get_by_role("link", name=run["name"]).first.click()
    assert stack.wait_until_ended(run["id"]) == "Completed"
    dashboard.reload()
    expect(dashboard.get_by_text("Completed", exact=True).first).to_be_visible()
    expect(dashboard.get_by_text(re.compile("^data: ")).first).to_be_visible()
    keep(dashboard, "prefect-run")
    dashboard.get_by_text("Artifacts", exact=True).click()
    dashboard.get_by_text("mlflow", exact=True).last.scroll_into_view_if_needed()
    dashboard.mouse.wheel(0, 3000)  # the list is made as it comes into view
    dashboard.get_by_text("summary", exact=True).last.click()
    expect(dashboard.get_by_text("Champion:").first).to_be_visible()
    link = dashboard.get_by_role("link", name=RECIPES[0]).first
    assert link.get_attribute("href").startswith(f"{stack.mlflow}/#/experiments/")
    keep(dashboard, "prefect-summary")


def test_the_schedule_can_be_read_and_its_next_runs_are_there(stack, dashboard):
    from playwright.sync_api import expect

    dashboard.get_by_role("link", name="nightly").click()
    expect(dashboard.get_by_text(re.compile("At 02:00 AM")).first).to_be_visible()
    dashboard.get_by_text("Upcoming", exact=True).click()
    expect(dashboard.get_by_role("button", name=re.compile("^Scheduled for .* 02:00:00")).first).to_be_visible()
