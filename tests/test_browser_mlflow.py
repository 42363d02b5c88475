"""MLflow's UI as a reader sees it: a real server on the records of two flow runs, in a real browser."""

import os
import re
import subprocess
import sys

import httpx
import pytest
from browser import keep, needs_chromium
from homes import free_port
from playwright.sync_api import expect
from waiting import wait_for

from tasks.tracking.links import experiment_link

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long, needs_chromium]


@pytest.fixture(scope="module")
def server(trained):
    """The address of an MLflow server on the store of `trained`, started as `mnist train` says."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    store = f"sqlite:///{trained}/state/mlflow.db"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--workers", "1"]
    with (trained / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=trained,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: process.poll() is not None or answers(f"{url}/health"))
        assert process.poll() is None, (trained / "server.log").read_text()[-3000:]
        yield url
    finally:
        process.terminate()
        process.wait(60)


def answers(url):
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def ui(page):
    """A page of somebody who has been here before: a panel about language models opens on the first visit only."""
    seen = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
    page.add_init_script(f"if (location.protocol === 'http:') {seen}")
    return page


NAMES = ".ag-pinned-left-cols-container .ag-row"  # the half of each row that does not scroll


def row(page, name):
    """The row of a run in the table; `name` is exact."""
    return page.locator(NAMES).filter(has=page.get_by_role("link", name=name, exact=True))


def from_the_top(page):
    """The names of the runs in the table, which draws its rows in any order."""
    order = "rows => rows.sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))"
    return page.locator(NAMES).evaluate_all(f"{order}.flatMap(row => row.querySelector('a')?.textContent || [])")


def from_the_left(page):
    """The columns of the table, of which it draws those that are in sight, in any order."""
    order = "cells => cells.sort((a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x)"
    return page.locator(".ag-header-cell").evaluate_all(f"{order}.map(cell => cell.getAttribute('col-id'))")


def cell(page, name, column):
    """What the table says about a run in a column."""
    index = row(page, name).get_attribute("row-index")
    return page.locator(f".ag-center-cols-container .ag-row[row-index='{index}'] [col-id='{column}']")


def open_experiment(page, server):
    page.goto(experiment_link(server, "1"))
    expect(row(page, "train small, small_best")).to_be_visible()


def open_trainings(page, server):
    """Open the experiment and, in it, the older comparison, whose trainings the newer one has reused."""
    open_experiment(page, server)
    row(page, "train small").get_by_role("button").first.click()
    expect(row(page, "small_best")).to_be_visible()


def test_the_experiment_opens_with_the_newest_comparison_first_and_our_columns(ui, server):
    open_experiment(ui, server)
    expect(ui.get_by_role("button", name="Comparisons, newest first")).to_be_visible()
    assert from_the_top(ui) == ["train small, small_best", "train small"]
    columns = from_the_left(ui)
    first = columns.index("tags.`best`")
    assert columns[first : first + 4] == ["tags.`best`", "tags.`decision`", "tags.`data`", "metrics.`test/accuracy`"]
    for column in columns[first : first + 6]:
        expect(cell(ui, "train small", column)).not_to_have_text(re.compile("^[-–]?$"))
    expect(cell(ui, "train small", "tags.`best`")).to_have_text(re.compile(r"small\w*, \d+\.\d\d%"))
    expect(cell(ui, "train small", "tags.`decision`")).to_have_text("promoted")
    expect(cell(ui, "train small, small_best", "tags.`decision`")).to_have_text("not promoted")
    keep(ui, "mlflow-experiment")
    row(ui, "train small").get_by_role("button").first.click()
    expect(cell(ui, "small_best", "metrics.`test/accuracy`")).to_have_text(re.compile(r"[01](\.\d+)?"))
    assert {*from_the_top(ui)[2:]} == {"small", "small_best", "small_diverged"}
    keep(ui, "mlflow-experiment-trainings")


def test_the_other_view_has_trainings_only(ui, server):
    open_experiment(ui, server)
    ui.get_by_role("button", name="Comparisons, newest first").click()
    ui.get_by_role("menuitem", name="Trainings, best first").click()
    expect(row(ui, "small_diverged")).to_be_visible()
    names = from_the_top(ui)
    assert {*names[:2]} == {"small", "small_best"}
    assert names[2:] == ["small_diverged"]
    keep(ui, "mlflow-trainings")


def test_two_trainings_compared_show_the_same_metric_overlaid(ui, server):
    open_trainings(ui, server)
    for name in ("small", "small_best"):
        row(ui, name).get_by_label("toggle row selection").check()
    ui.get_by_role("button", name="Compare").click()
    expect(ui.get_by_role("heading", name="Comparing 2 Runs")).to_be_visible()
    keep(ui, "mlflow-compare")
    names = ui.locator(".ReactVirtualized__Grid").filter(has=ui.get_by_role("link", name="kept/step"))
    names.last.evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
    ui.get_by_role("link", name="validation/loss").click()
    both_curves(ui.locator("body"))
    keep(ui, "mlflow-metric")


def both_curves(chart):
    """Wait until a chart has lines in two colours, and says which training each belongs to."""
    lines = chart.locator(".scatterlayer .trace path.js-line")
    colours = "lines => [...new Set(lines.map(line => getComputedStyle(line).stroke))]"
    wait_for(lambda: len(lines.evaluate_all(colours)) == 2)
    for name in ("small", "small_best"):
        expect(chart.get_by_text(re.compile(rf"^{name}( \(|$)")).first).to_be_visible()


def test_the_description_of_a_comparison_leads_to_its_trainings_and_their_curves(ui, server):
    open_experiment(ui, server)
    ui.get_by_role("link", name="train small, small_best", exact=True).click()
    expect(ui.get_by_text("The best of this run")).to_contain_text("not promoted: it is the champion already.")
    ui.get_by_text("Show more").first.click()
    expect(ui.get_by_role("columnheader", name="test accuracy, 95 %")).to_be_visible()
    expect(ui.get_by_role("link", name="small_best", exact=True)).to_be_visible()
    keep(ui, "mlflow-comparison")
    with ui.expect_popup() as opened:
        ui.get_by_role("link", name="All curves together").click()
    curves = opened.value
    expect(curves.get_by_role("heading", name="validation/accuracy", exact=True).first).to_be_visible()
    both_curves(curves.locator("body"))
    keep(curves, "mlflow-curves")


def test_the_page_of_a_model_has_its_metrics_by_data_its_parameters_and_its_version(ui, server):
    ui.goto(f"{server}/#/experiments/1/models?workflowType=machine_learning")
    ui.get_by_role("link", name=re.compile("^small")).first.click()
    expect(ui.get_by_text(re.compile(r"^Metrics \(1\d\)"))).to_be_visible()
    expect(ui.get_by_text(re.compile(r"^data \(testing\)")).first).to_be_visible()
    expect(ui.get_by_text(re.compile(r"^Parameters \(\d\d\)"))).to_be_visible()
    keep(ui, "mlflow-logged-model")


def test_the_first_page_says_where_the_runs_are(ui, server):
    ui.goto(server)
    expect(ui.get_by_text(re.compile("^Choose .*Model training"))).to_be_visible()


def test_a_figure_opens_in_the_artifact_viewer(ui, server):
    open_trainings(ui, server)
    ui.get_by_role("link", name="small_best", exact=True).click()
    expect(ui.get_by_text("Test accuracy").first).to_be_visible()
    ui.get_by_role("tab", name="Artifacts").click()
    ui.get_by_text("figures", exact=True).click()
    ui.get_by_text("confusion_matrix.png").click()
    figure = ui.get_by_role("img", name="figures/confusion_matrix.png")
    expect(figure).to_be_visible()
    wait_for(lambda: figure.evaluate("image => image.naturalWidth") > 500)
    keep(ui, "mlflow-figure")


def test_the_registered_model_shows_the_champion_and_why(ui, server):
    ui.goto(f"{server}/#/models/test-model")
    reason = re.compile(r"promoted: there was no champion, and \d+\.\d\d% is above the floor")
    expect(ui.get_by_role("cell", name=reason)).to_be_visible()
    expect(ui.get_by_text("@ champion")).to_be_visible()
    expect(ui.get_by_text(re.compile(r"^Promoted, \d+\.\d\d%$"))).to_be_visible()
    keep(ui, "mlflow-model")
    ui.get_by_role("link", name="Version 1").click()
    expect(ui.get_by_text("Why: there was no champion")).to_be_visible()
    expect(ui.get_by_text("@ champion")).to_be_visible()
    keep(ui, "mlflow-version")
    with ui.expect_popup() as opened:
        ui.get_by_role("link", name="Its run").click()
    expect(opened.value.get_by_text("About this run")).to_be_visible()
