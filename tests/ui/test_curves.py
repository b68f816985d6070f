"""The drawing of a run in a real browser: what is drawn, and that its numbers are the record's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from gradio_client import Client

from resnet_demo.colours import OF_NETWORK as COLOURS
from tests.ui.conftest import App, Watched
from tests.ui.laboratory import DIVERGING, TINY, begin, finished, heights, open_run, start, until

pytestmark = pytest.mark.browser
STEPS = 130


@pytest.fixture(scope="module")
def run(app: App) -> str:
    """A run that many of the tests below look at."""
    return finished(app, TINY | {"steps": STEPS})


def events_of(app: App, run: str) -> list[dict[str, object]]:
    return list(Client(app.url, verbose=False).predict(run, 0, api_name="/run")["events"])


def test_the_table_has_the_numbers_of_the_record_for_every_network(app: App, visit: Callable[..., Watched], run: str) -> None:
    page = open_run(visit, app, run)
    page.click("#curves summary")
    page.wait_for_selector("#curves table tbody tr")
    shown = [row.split("\t") for row in page.locator("#curves table tbody").inner_text().splitlines()]
    record = {
        (event["arm"], event.get("split", "training"), str(event["step"])): event
        for event in events_of(app, run)
        if event["kind"] in ("training", "measured")
    }
    for arm, images, step, loss, error in shown:
        event = record[arm, images, step]
        assert float(loss) == pytest.approx(event["loss"], abs=0.0006)
        assert float(error) == pytest.approx(100 * float(str(event["error"])), abs=0.06)
    steps = {arm: [row[2] for row in shown if row[:2] == [arm, "training"]] for arm in ("plain8-s0", "residual8-s0")}
    assert steps["plain8-s0"] == steps["residual8-s0"]  # so many points that not all are listed, but the same of each
    assert 60 <= len(steps["plain8-s0"]) < STEPS
    assert steps["plain8-s0"][-1] == str(STEPS)
    assert sum(row[1] == "test" for row in shown) == sum(images == "test" for _, images, _ in record)
    assert page.locator("#curves th[scope=col]").all_inner_texts() == ["network", "images", "step", "loss", "error, %"]


def test_lines_have_the_colours_of_the_pictures_to_take_away(app: App, visit: Callable[..., Watched], run: str) -> None:
    page = open_run(visit, app, run)
    strokes = page.locator("#curves svg.loss path[fill=none]").evaluate_all(
        "lines => lines.map(line => [getComputedStyle(line).stroke, line.getAttribute('stroke-dasharray')])"
    )
    rgb = {kind: f"rgb({', '.join(str(part) for part in bytes.fromhex(colour[1:]))})" for kind, colour in COLOURS.items()}
    assert sorted(strokes) == sorted([[rgb[True], "none"], [rgb[False], "7 4"]])


def test_pointing_at_a_step_tells_the_values_there(app: App, visit: Callable[..., Watched], run: str) -> None:
    page = open_run(visit, app, run)
    page.locator("#curves .smooth").fill("0")
    box = page.locator("#curves svg.loss").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 90)
    label = page.locator("#curves svg.loss text.strong", has_text="step").text_content() or ""
    step = int(label.split()[1])
    assert STEPS * 0.4 < step < STEPS * 0.6
    losses = {
        event["arm"]: event["loss"] for event in events_of(app, run) if event["kind"] == "training" and event["step"] == step
    }
    values = page.locator("#curves svg.loss text.value").all_text_contents()
    for name in ("plain", "residual"):
        found = next(re.search(r"[\d.]+$", text) for text in values if text.startswith(f"{name}-8 training"))
        assert found is not None
        assert float(found[0]) == pytest.approx(losses[f"{name}8-s0"], abs=0.0006)
    page.mouse.move(5, 5)
    page.wait_for_function("!document.querySelector('#curves svg.loss .tip')")


def test_smoothing_calms_a_line_and_the_log_scale_spreads_its_axis(app: App, visit: Callable[..., Watched], run: str) -> None:
    page = open_run(visit, app, run)
    rough = {}
    for amount in ("0", "0.95"):
        page.locator("#curves .smooth").fill(amount)
        line = heights(page, "loss", 0)
        rough[amount] = sum(abs(after - before) for before, after in itertools.pairwise(line))
    assert rough["0.95"] < rough["0"] / 3
    page.locator("#curves .smooth").fill("0")
    values = [event["error"] for event in events_of(app, run) if event["kind"] == "training" and event["arm"] == "plain8-s0"]
    one, two, three = values.index(min(values)), values.index(max(values)), 0  # type: ignore[type-var]  # numbers

    def place() -> float:
        line = heights(page, "error", 0)
        return (line[three] - line[one]) / (line[two] - line[one])

    def share(scale: Callable[[float], float]) -> float:
        low, high, between = (scale(float(str(values[index]))) for index in (one, two, three))
        return (between - low) / (high - low)

    from math import log

    assert place() == pytest.approx(share(float), abs=0.01)
    page.check("#curves .log")
    assert place() == pytest.approx(share(log), abs=0.01)
    assert share(log) != pytest.approx(share(float), abs=0.02)


def test_a_diverged_network_is_marked_and_explained_while_the_other_goes_on(app: App, visit: Callable[..., Watched]) -> None:
    run = finished(app, DIVERGING)
    diverged = [event for event in events_of(app, run) if event["kind"] == "diverged"]
    assert [event["arm"] for event in diverged] == ["residual20-s0"]
    page = open_run(visit, app, run)
    assert page.locator("#curves svg.loss text.diverged").all_text_contents() == ["✕ diverged"]
    page.wait_for_function("document.querySelector('#said').innerText.length > 40")
    said = page.locator("#said").inner_text()
    assert f"the residual-20 network diverged (the loss was no longer a finite number) at step {diverged[0]['step']}" in said
    assert len(heights(page, "loss", 0)) == 24  # the plain network's line


def test_an_earlier_run_is_drawn_beside_the_one_that_is_shown(app: App, visit: Callable[..., Watched], run: str) -> None:
    other = finished(app, TINY | {"seed": 7, "seeds": 2})
    page = open_run(visit, app, other)
    assert page.locator("#curves svg.loss path[fill=none]").count() == 2
    assert page.locator("#curves svg.loss path[fill-opacity]").count() == 2  # the bands between the seeds
    assert "plain-8 (2 seeds)" in page.locator("#curves .legend").inner_text()
    page.get_by_text("All runs").click()
    page.locator("#overlays input").click()
    page.get_by_role("option").filter(has_text=run).click()
    page.wait_for_function("document.querySelectorAll('#curves svg.loss path[fill=none]').length === 4")
    assert f"plain-8 ({run[-6:]})" in page.locator("#curves .legend").inner_text()
    assert page.locator("#runs").inner_text().count(run[-6:]) == 2  # a row for each network


def test_a_run_again_with_other_seeds_is_drawn_beside_the_first(app: App, visit: Callable[..., Watched]) -> None:
    client = Client(app.url, verbose=False)
    first = start(client, TINY | {"seed": 40})
    before = until(client, first, "finished")["events"]
    page = open_run(visit, app, first)
    second = begin(page, app, "reseed")
    page.wait_for_function("document.querySelectorAll('#curves svg.loss path[fill=none]').length === 4")
    assert {event["arm"] for event in until(client, second, "finished")["events"] if "arm" in event} == {
        "plain8-s41",
        "residual8-s41",
    }
    page = open_run(visit, app, first)
    again = until(client, begin(page, app, "repeat"), "finished")["events"]
    numbers = [[event for event in events if event["kind"] in ("training", "measured")] for events in (before, again)]
    assert numbers[0] == numbers[1]
