"""The calibration benchmark: which values it judges, and its figures."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from steer_engine import Confidence

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
CASE = {
    "text": "Tea, 3 $",
    "schema": 'name: str, price: float | None, mood: "good" | "bad"',
    "truth": {"name": "Tea", "price": 3, "mood": "good"},
}


@pytest.fixture
def calibration(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import calibration

    return calibration


@pytest.fixture
def bins(calibration):
    import calibration_figures

    return calibration_figures


def values(bins, *pairs):
    return [bins.Judged(confidence, bool(is_right)) for confidence, is_right in pairs]


@pytest.mark.parametrize(
    ("pointer", "is_right"),
    [("/a/0/b~1", True), ("/a/1/b~1", False), ("/c", True), ("/d", False), ("/e/f", False)],
)
def test_a_value_is_right_if_the_truth_has_it_in_its_place(calibration, pointer, is_right):
    record = {"a": [{"b/": 1}, {"b/": 2}], "c": 2.0, "d": "x", "e": {"f": 1}}
    truth = {"a": [{"b/": 1}], "c": 2, "d": "X", "e": None}
    found = calibration.judged(Confidence(pointer, 0.7, 0.1), record, truth)
    assert found.kind == "free"
    assert found.shown == found.exact
    assert (found.exact.confidence, found.exact.is_right) == (0.7, is_right)


def test_a_choice_counts_with_its_exact_probability(calibration):
    known = Confidence("", 0.7, 0.1, ((True, 0.6), (1, 0.3)))
    found = calibration.judged(known, 1, 1)
    assert (found.kind, found.shown.confidence, found.exact.confidence) == ("choices", 0.7, 0.3)
    const = Confidence("", 1.0, 1.0, (("x", 1.0),))
    assert calibration.judged(const, "x", "x").kind == "free"


def test_the_error_is_the_distance_of_the_bins_by_their_weight(bins):
    well = values(bins, (0.75, 1), (0.75, 1), (0.75, 1), (0.75, 0))
    assert bins.calibration_error(well) == 0
    badly = values(bins, *[(0.95, 0)] * 3, (0.35, 1))
    assert bins.calibration_error(badly) == pytest.approx((3 * 0.95 + 0.65) / 4)
    assert bins.calibration_error([]) == 0


def test_certain_values_are_in_the_last_bin(bins):
    [last] = bins.bins_of(values(bins, (1.0, 1), (0.9, 0)))
    assert (last.low, last.confidence, last.right) == (0.9, 0.95, 0.5)


def test_review_says_what_reading_the_doubtful_ones_would_find(bins):
    figures = bins.figures(values(bins, (0.4, 0), (0.6, 1), (0.95, 0), (0.99, 1)))
    assert figures["right"] == 0.5
    assert figures["review"]["0.5"] == {"read": 0.25, "wrong_found": 0.5}
    assert figures["review"]["0.9"] == {"read": 0.5, "wrong_found": 0.5}
    assert [each["n"] for each in figures["bins"]] == [1, 1, 2]


def test_the_diagram_has_a_dot_for_each_bin(bins):
    series = {"a < b": values(bins, (0.15, 0), (0.95, 1)), "c": values(bins, (0.5, 1))}
    svg = ET.fromstring(bins.as_svg(series, title="A & B"))  # noqa: S314 - our own
    name = "{http://www.w3.org/2000/svg}"
    dots = svg.findall(f"{name}circle")
    places = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in dots]
    assert len(places) == 3
    assert places[0][0] < places[1][0]
    assert places[0][1] > places[1][1]  # up is right
    assert {"a < b", "c", "A & B"} <= {text.text for text in svg.findall(f"{name}text")}


def test_the_script_ends_with_its_figures_and_writes_the_diagram(tmp_path):
    cases, svg = tmp_path / "cases.jsonl", tmp_path / "calibration.svg"
    cases.write_text(json.dumps(CASE))
    command = [sys.executable, BENCHMARKS / "calibration.py", "--cases", cases, "--svg", svg]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["all"]["n"] == 3
    assert figures["choices"]["n"] == 1
    assert figures["free"]["n"] == 2
    assert svg.read_text().startswith("<svg")
    assert "| confidence | values |" in done.stdout
