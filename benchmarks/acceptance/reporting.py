"""Tables for people and one JSON object for scripts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from acceptance.judging import Outcome

_KINDS = ("wrong accept", "wrong reject")
_MAX_TEXT = 160  # characters of a failing case


def summary(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the figures of one system: schemas, instances (`tests`), and times."""
    mistakes = Counter(mistake.kind for each in outcomes for mistake in each.mistakes)
    token_us = _joined(outcomes)
    compile_ms = [each.compile_ms for each in outcomes if each.end == "judged"]
    return {
        "schemas": len(outcomes),
        "fully_right": sum(each.is_fully_right for each in outcomes),
        "wrong_accepts": mistakes["wrong accept"],
        "wrong_rejects": mistakes["wrong reject"],
        "refused": sum(each.is_refusal for each in outcomes),
        "tests": sum(len(each.case.instances) for each in outcomes),
        "tests_right": sum(each.n_right for each in outcomes),
        "mask_p50_us": _percentile(token_us, 50),
        "mask_p99_us": _percentile(token_us, 99),
        "compile_p50_ms": _percentile(compile_ms, 50),
    }


def _joined(outcomes: Iterable[Outcome]) -> np.ndarray:
    parts = [np.asarray(each.token_us) for each in outcomes]
    return np.concatenate(parts) if parts else np.empty(0)


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 2) if len(values) else None


def print_sections(by_system: dict[str, list[Outcome]]) -> None:
    """Print, for each section and system, what was judged rightly."""
    header = ("section", "system", "schemas", "fully right", "tests", "right")
    print("{:<34}{:<12}{:>8}{:>13}{:>8}{:>9}".format(*header), end="")
    print("{:>9}{:>9}{:>9}{:>9}".format("accepts!", "rejects!", "refused", "ended"))
    for section in _sections(by_system):
        for system, outcomes in by_system.items():
            _print_row(section, system, [each for each in outcomes if _is_in(each, section)])


def _sections(by_system: dict[str, list[Outcome]]) -> list[str]:
    """Return the sections, each set's and the suite's total after its parts."""
    names = {each.case.section for outcomes in by_system.values() for each in outcomes}
    totals = {name.split()[0] for name in names}
    if any(name.startswith("draft") for name in names):
        totals.add("draft")
    return [*sorted(names), *sorted(totals), *([""] if len(totals) > 1 else [])]


def _is_in(outcome: Outcome, section: str) -> bool:
    exact = outcome.case.section == section
    is_total = section in ("", "draft", *outcome.case.section.split()[:1])
    return exact or (is_total and outcome.case.section.startswith(section))


def _print_row(section: str, system: str, outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    figures = summary(outcomes)
    ended = sum(each.end in ("timeout", "crash") for each in outcomes)
    label = {"": "all", "draft": "all drafts"}.get(section, section)
    print(
        f"{label:<34}{system:<12}{figures['schemas']:>8}"
        f"{_share(figures['fully_right'], figures['schemas']):>13}{figures['tests']:>8}"
        f"{_share(figures['tests_right'], figures['tests']):>9}{figures['wrong_accepts']:>9}"
        f"{figures['wrong_rejects']:>9}{figures['refused']:>9}{ended:>9}"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def print_times(by_system: dict[str, list[Outcome]]) -> None:
    """Print processor times: of compiling, and of mask plus accept for a token."""
    print(f"\n{'processor time':<14}{'compile ms p50':>16}{'p99':>9}{'mask us p50':>14}", end="")
    print(f"{'p90':>9}{'p99':>9}{'max':>10}{'tokens':>10}")
    for system, outcomes in by_system.items():
        compile_ms = [each.compile_ms for each in outcomes if each.end == "judged"]
        token_us = _joined(outcomes)
        if not compile_ms or not len(token_us):
            continue
        c50, c99 = np.percentile(compile_ms, (50, 99))
        m50, m90, m99, most = np.percentile(token_us, (50, 90, 99, 100))
        print(f"{system:<14}{c50:>16.2f}{c99:>9.1f}{m50:>14.1f}", end="")
        print(f"{m90:>9.1f}{m99:>9.0f}{most:>10.0f}{len(token_us):>10}")


def print_keywords(outcomes: Sequence[Outcome]) -> None:
    """Print what one system got wrong, by keyword."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for each in outcomes:
        rows[keyword_of(each)].update(_faults(each))
    print("\n{:<34}".format("not right, by keyword"), end="")
    print("{:>9}{:>9}{:>9}{:>9}".format("accepts!", "rejects!", "refused", "ended"))
    for keyword, row in sorted(rows.items(), key=lambda pair: (-pair[1].total(), pair[0])):
        if row.total():
            counts = [row[kind] for kind in (*_KINDS, "refused", "ended")]
            print(f"{keyword:<34}" + "".join(f"{count:>9}" for count in counts))


def _faults(outcome: Outcome) -> list[str]:
    if outcome.end in ("timeout", "crash"):
        return ["ended"]
    if outcome.is_refusal:
        return ["refused"]
    return [mistake.kind for mistake in outcome.mistakes]


def keyword_of(outcome: Outcome) -> str:
    """Return what to blame for an outcome: the suite's file, or what the system named."""
    if outcome.case.keyword:
        return outcome.case.keyword
    if outcome.keyword:
        return outcome.keyword
    for mistake in outcome.mistakes:
        quoted = re.search("`([^`]+)`", mistake.reason)
        return quoted[1] if quoted else "mask"
    return outcome.end


def print_failures(
    outcomes: Sequence[Outcome], *, is_wanted: Callable[[str], bool] = lambda _: True
) -> None:
    """Print every failing case in a line or two, those of the kinds that are wanted."""
    for each in outcomes:
        if each.is_refusal and is_wanted("refused"):
            print(f"{each.end}: {each.case.name}\n    {_short(each.reason)}")
        for mistake in each.mistakes:
            if is_wanted(mistake.kind):
                text, at = mistake.text, mistake.at
                seen = text.encode("utf-8", "replace")[:at].decode("utf-8", "replace")
                rest = text[len(seen) :]
                shown = f"{seen[-_MAX_TEXT // 2 :]} ⟨here⟩ {rest}" if at else text
                print(f"{mistake.kind}: {each.case.name}: {mistake.description}")
                print(f"    {_short(shown)}")
                if mistake.reason:
                    print(f"    {_short(mistake.reason)}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
