"""The benchmark of tables: its figures are there, at a size that takes no time."""

import table_size


def test_every_figure_is_measured():
    for source in ("frame", "iterator"):
        figures = table_size.measure(20, source=source)
        assert figures["rows"] == 20
        assert {"start_s", "fill_us", "run_ms", "join_us", "memory_mib"} <= set(figures)
        assert all(value >= 0 for value in figures.values())
