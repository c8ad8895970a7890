"""The HTML page: complete without script, valid under its own policy, hostile text stays text, small for long runs."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logdoctor.engine import render
from logdoctor.model import (
    Cause,
    Change,
    Clock,
    Diagnosis,
    Event,
    Evidence,
    Finding,
    Link,
    Phase,
    Place,
    Reading,
    Series,
    SourceInfo,
    Story,
)
from logdoctor.renderers import _outline as outline
from logdoctor.renderers._scales import nice, scale_for, ticks
from logdoctor.renderers._svg import charts, draw, figures, pick
from logdoctor.summaries import curve_of, metric_of
from tests.hand_made import sick

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"' & ]]> \x1b[31m \u2028"


def series(name: str, value: np.ndarray[Any, np.dtype[np.float64]]) -> Series:
    n = value.size
    return Series(
        name=name, raw_name=name, value=value, step=np.arange(n) * 1000.0, line=np.arange(n) + 10,
        segment=np.zeros(n, dtype=np.int64), judged=np.ones(n, dtype=bool), count=n,
    )  # fmt: skip


def example(n: int = 600, text: str = "Loss explosion") -> Diagnosis:
    rng = np.random.default_rng(0)
    loss = 0.03 * np.exp(rng.normal(0, 0.2, n))
    loss[n // 2 :] *= 1e4
    loss[-3:] = np.nan
    all_series = [series("loss", loss), series("reward", np.linspace(0, 1, n)), series("fps", rng.normal(100, 1, n))]
    onset = Place(line=10 + n // 2, step=n // 2 * 1000.0)
    finding = Finding(
        id="LD201", name="loss-explosion", severity="critical", confidence=0.9, summary=text, title=text,
        metrics=("loss",), onset=onset, analysis=text,
        evidence=(Evidence(line=onset.line, step=onset.step, metric="loss", value=300.0, text=text, note=text),),
    )  # fmt: skip
    follows = replace(finding, id="LD601", name="performance-collapse", metrics=("reward",), explained_by=("LD201",))
    change = Change(parameter=text, from_=0.003, to=0.001, why=text)
    cause = Cause(
        id="learning-rate-too-high",
        rank=1,
        confidence=0.8,
        title=text,
        for_=(text,),
        mechanism=(text, "b"),
        changes=(change,),
    )
    primary = Clock(name="Frame", unit="frames", primary=True)
    middle, last = onset.line, n + 9
    phases = (
        Phase(name="learning", first_step=0, last_step=onset.step, first_line=10, last_line=middle, summary=text),
        Phase(
            name="explosion", first_step=onset.step, last_step=n * 1e3, first_line=middle, last_line=last, summary=""
        ),
    )
    chain = (Link(finding="LD201", place=onset, text=text), Link(finding="LD601", place=onset, text=text))
    raised = Event(line=50, step=40000.0, kind="hyperparameter-change", name="learning_rate", value=0.1, text=text)
    return Diagnosis(
        source=SourceInfo(path=text), verdict="critical", headline=text, findings=(finding, follows), causes=(cause,),
        reading=Reading(format="columns", rows=n, metric_lines=n, unread_lines=0, coverage=1.0, clocks=(primary,)),
        metrics=tuple(metric_of(s) for s in all_series), curves=tuple(curve_of(s) for s in all_series),
        performance="reward", phases=phases, events=(raised,),
        story=Story(chain=chain, decision=text, go=False, go_why=text),
    )  # fmt: skip


class Tree(HTMLParser):
    """Collects what a browser would load, run or link."""

    VOID = frozenset({"meta", "img", "br", "rect", "line", "path", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        self.scripts += tag == "script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_page_is_well_formed_loads_nothing_and_has_no_inline_style() -> None:
    tree = Tree(render(example(), "html"))
    assert tree.open == []
    assert tree.scripts == 2  # the curves' data and the one script
    loaded = [(t, k, v) for t, k, v in tree.attributes if k in {"src", "srcset", "action", "data", "background"}]
    assert loaded == []
    assert [v for _, k, v in tree.attributes if k == "href" and not v.startswith("#")] == []
    assert [k for _, k, _ in tree.attributes if k == "style" or k.startswith("on")] == []


def test_every_link_leads_somewhere() -> None:
    tree = Tree(render(example(), "html"))
    targets = {v for _, k, v in tree.attributes if k == "id"}
    links = [v[1:] for _, k, v in tree.attributes if k == "href"]
    assert links
    assert set(links) <= targets


def test_hostile_text_stays_text() -> None:
    text = render(example(text=NASTY), "html")
    tree = Tree(text)
    assert tree.scripts == 2
    assert "\x1b" not in text
    assert not any(tag == "img" for tag, _, _ in tree.attributes)


def test_facts_stand_above_the_curves_and_follow_ups_inside_their_cause() -> None:
    text = render(example(), "html")
    assert text.index("critical") < text.index("<h1>") < text.index("Curves")
    root, follow = text.index('id="r0-LD201-'), text.index('id="r0-LD601-')
    assert root < follow < text.index("</article></article>")


def test_a_run_of_a_million_points_stays_small() -> None:
    assert len(render(example(1_000_000), "html")) < 2_000_000


def test_extremes_and_nonfinite_values_are_drawn() -> None:
    value = np.ones(100_000)
    value[54_321] = 1e9
    value[77_777] = np.nan
    drawn = series("loss", value)
    diagnosis = replace(example(), metrics=(metric_of(drawn),), curves=(curve_of(drawn),))
    chart = charts(diagnosis)["loss"]
    assert max(v for v in chart.y if v == v) == 1e9
    assert 'class="nan"' in draw(chart)
    assert "NaN at line 77787" in draw(chart)


def test_figures_are_plain_and_chosen_by_the_findings() -> None:
    diagnosis = example()
    assert pick(diagnosis)[:2] == ["reward", "loss"]
    files = figures(diagnosis)
    assert set(files) == {"reward.svg", "loss.svg"}
    for text in files.values():
        assert text.startswith("<svg ")
        assert 'xmlns="http://www.w3.org/2000/svg"' in text
        assert not re.search(r"<(script|filter|style|image|use|foreignObject)", text)


def test_figure_names_cannot_leave_their_folder() -> None:
    drawn = series("../../etc/passwd", np.arange(5.0))
    diagnosis = replace(
        example(), performance=None, findings=(), metrics=(metric_of(drawn),), curves=(curve_of(drawn),)
    )
    assert [name for name in figures(diagnosis) if "/" in name or ".." in name] == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1, 2, 3], "linear"), ([1e-3, 1, 1e3], "log"), ([-1e6, 1, 2, 3], "symlog"), ([5, 5], "linear"), ([], "linear")],
)
def test_scale_follows_the_range(values: list[float], kind: str) -> None:
    scale = scale_for(values)
    assert scale.kind == kind
    assert all(0 <= scale(v) <= 1 for v in values)
    assert 1 <= len(ticks(scale)) <= 8


def test_ticks_are_round() -> None:
    assert nice(0, 118.9e6, 6) == [0, 20e6, 40e6, 60e6, 80e6, 100e6]


# --------------------------------------------------------------------------------------------------- in a browser
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    if not BROWSER or not shutil.which("chromedriver"):
        pytest.skip("no Chromium here")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1100,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    page = tmp_path / "page.html"
    page.write_text(render(example(), "html"), encoding="utf-8")
    driver.get(page.as_uri())
    yield driver
    driver.quit()


@pytest.mark.slow
def test_in_chromium_no_error_no_request_and_keyboard_zoom(browser: Any) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    sent = [
        entry["message"] for entry in browser.get_log("performance") if "Network.requestWillBeSent" in entry["message"]
    ]
    assert [m for m in sent if '"url":"http' in m] == []
    chart = browser.find_element(By.CSS_SELECTOR, "svg.chart[data-metric=loss]")
    curve = chart.find_element(By.CSS_SELECTOR, ".curve")
    before = curve.get_attribute("points")
    browser.execute_script("arguments[0].focus()", chart)
    keys = ActionChains(browser)
    keys.send_keys("\ue014\ue014\ue014+").perform()  # three times arrow right, then plus
    deadline = time.monotonic() + 5
    while curve.get_attribute("points") == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert curve.get_attribute("points") != before
    readouts = [e.text for e in browser.find_elements(By.CSS_SELECTOR, ".readout") if e.text]
    assert len(readouts) >= 2  # the cursor is shared
    assert all("line" in text for text in readouts)
    ActionChains(browser).send_keys("0").perform()
    assert curve.get_attribute("points").split()[0] == before.split()[0]
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_page_names_the_counter_as_the_other_reports_do():
    diagnosis = sick()
    page = render(diagnosis, "html")
    onset = outline.place(diagnosis, diagnosis.findings[0].onset)
    assert onset.startswith("frame ")
    assert f"onset {onset}; " in page
    assert ">step<" not in page
