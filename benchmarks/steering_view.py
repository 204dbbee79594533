"""What the live view costs a page, and how much is sent to it, for large runs.

    python benchmarks/steering_view.py [--tokens 10000] [--rows 1000] [--seconds 10]

A list of so many tokens is written in so many seconds, then so many rows end in as many, as the
engine would tell of them. The messages go into Debian's Chromium (`CHROMIUM` names another) as they
fall due; there is no notebook around the view. Told are

- `messages`, `mean_kB`, `largest_kB`
- `python_ms`: of a message, what making it takes of the kernel's time (processor time)
- `work_ms`: of a message, script, style and layout in the page: the median and the largest
- `frames`, `late_frames`: painted, and those that came over 50 ms after the one before; so many
  came late on the same page without a view: `late_frames_idle`
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import steermagic
from steer_engine import Step, Steps, read_schema, rows_of
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.runs import Row
from steermagic.schemas import FoundSchema
from steermagic.widgets.batches import LiveView, head_of

STATIC = Path(steermagic.__file__).parent / "widgets" / "static"
SCHEMA = read_schema('name: str, age: int, mood: "fine" | "bad", note: str')
RECORD = {"name": "Rex", "age": 3, "mood": "fine", "note": "barks at planets"}
N_EVENTS = 500  # in which the run is told of
SHOW = """
async ([source, style, head]) => {
  window.take = null;
  const model = {
    get: () => head, off() {}, widget_manager: null,
    on: (event, react) => { window.take = react; },
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [sheet];
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  document.body.replaceChildren(Object.assign(document.createElement("div"), { id: "root" }));
  if (head) widget.render({ model, el: root });
  window.frames_at = [];
  const tick = (now) => { frames_at.push(now); requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}
"""
TELL = """
(message) => {
  const start = performance.now();
  take(message); // asks for a frame, which comes ahead of the one that is asked for here
  const taken = performance.now() - start;
  return new Promise((done) => requestAnimationFrame((frame) => {
    document.body.offsetHeight; // style and layout now, so that they count
    done(taken + performance.now() - frame);
  }));
}
"""


def token_events(n_tokens: int) -> Iterator[Callable[[LiveView], None]]:
    """Yield what tells a view of a list that is written, a few tokens at a time."""
    text = json.dumps([RECORD] * (n_tokens // 20))
    n_items = text.count("{")
    size = max(len(text) // n_tokens, 1)
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    steps = [
        Step(
            0, part.encode(), "chosen" if i % 3 else "forced", f"/{i * n_items // len(parts)}/name"
        )
        for i, part in enumerate(parts)
    ]
    each = max(len(steps) // N_EVENTS, 1)
    for i in range(0, len(steps), each):
        yield lambda view, own=tuple(steps[i : i + each]): view.take(Steps(0, own))


def row_events(n_rows: int) -> Iterator[Callable[[LiveView], None]]:
    """Yield what tells a view of rows that end."""

    def end(view: LiveView, number: int) -> None:
        view.take(Steps(number, (Step(0, b"x", "chosen", "/name"),) * 20))
        view.end(Row(number, {**RECORD, "age": number}, "", (), is_kept=True))
        view.progress(number + 1, 0)

    for number in range(n_rows):
        yield lambda view, number=number: end(view, number)


def measure(page: Page, job: Job, events: list[Any], seconds: float) -> dict[str, float]:
    """Tell the page of `events`, spread over `seconds`, and return what it took."""
    source, style = ((STATIC / f"steering.{end}").read_text("utf-8") for end in ("js", "css"))
    page.evaluate(SHOW, [source, style, None])
    page.wait_for_timeout(seconds * 300)
    idle = late_frames(page)
    page.evaluate(SHOW, [source, style, head_of(job, "tiny")])
    messages: list[Any] = []
    view = LiveView(job, messages.append)
    sizes, work, python = [], [], []
    start = time.monotonic()
    for i, event in enumerate(events):
        page.wait_for_timeout(max(0.0, start + seconds * i / len(events) - time.monotonic()) * 1000)
        before = time.process_time()
        event(view)
        spent = time.process_time() - before
        for message in messages:
            before = time.process_time()
            sizes.append(len(json.dumps(message).encode()))
            python.append(1000 * (spent + time.process_time() - before))
            work.append(page.evaluate(TELL, message))
        messages.clear()
    late = late_frames(page)
    return {
        "messages": len(sizes),
        "mean_kB": statistics.mean(sizes) / 1000,
        "largest_kB": max(sizes) / 1000,
        "python_ms": statistics.median(python),
        "work_ms": statistics.median(work),
        "largest_work_ms": max(work),
        "frames": late[1],
        "late_frames": late[0],
        "late_frames_idle": idle[0] / 0.3,
    }


def late_frames(page: Page) -> tuple[int, int]:
    """Return how many frames came late, and how many there were."""
    times = page.evaluate("frames_at")
    gaps = [b - a for a, b in pairwise(times)]
    return sum(gap > 50 for gap in gaps), len(times)


def main() -> None:
    """Measure a long list and a long table; print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    one = Job(("Invent",), FoundSchema(rows_of(SCHEMA), is_list=True), SteerOptions())
    data = [{"text": f"t{i}"} for i in range(options.rows)]
    table = job_over(data, "{{ text }}", FoundSchema(SCHEMA), SteerOptions(), namespace={})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.set_content("<body></body>")
        figures = {
            f"{options.tokens} tokens": measure(
                page, one, [*token_events(options.tokens)], options.seconds
            ),
            f"{options.rows} rows": measure(
                page, table, [*row_events(options.rows)], options.seconds
            ),
        }
        browser.close()
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
