"""The benchmark of backends: what it measures of llama.cpp, and how it compares answers."""

import math

import pytest

import backends

HALF = math.log(0.5)


def test_every_figure_is_measured():
    measured = {name: [backends.measure(name, 2, 1)] for name in ("llamacpp", "isolated", "server")}
    figures = backends.summaries(measured)
    for name, found in figures.items():
        assert found["rows_per_s"] > 0
        assert found["memory_mb"] > 5
        assert (found["calls_per_row"] is None) == (name != "llamacpp")
    for name in ("llamacpp", "isolated"):
        assert (figures[name]["done"], figures[name]["same"], figures[name]["drift"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("ours", "truth", "expected"),
    [
        ([("ab", HALF)], [("ab", HALF)], (0, None)),
        ([("a", -1.0), ("b", -2.0)], [("a", -1.5), ("b", -2.0)], (0.5, None)),
        # A forced part may be cut otherwise.
        ([("{", None), ('"', None), ("b", -2.0)], [('{"', None), ("b", -2.25)], (0.25, None)),
        ([("a", -1.0), ("c", -9.0)], [("a", -1.0), ("b", HALF)], (0, 0.5)),
        ([("a", -1.0), ("bc", -9.0)], [("a", -1.0), ("bd", HALF)], (0, 0.5)),
        ([("a", -1.0)], [("a", -1.0), ("b", HALF)], (0, 0.5)),
        ([("a", -1.0), ("b", HALF)], [("a", -1.0)], (0, 0)),
    ],
)
def test_answers_are_compared_up_to_where_they_part(ours, truth, expected):
    drift, parted_at = backends.compare(ours, truth)
    assert (drift, parted_at) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
