"""Which values does the engine let through? Ours, llguidance alone and xgrammar, side by side.

    python benchmarks/conformance.py [--maskbench FILE] [--suite DIR] [--remotes DIR]
        [--limit N] [--seed S] [--peers llguidance,xgrammar] [--vocab GGUF] [--list]
    python benchmarks/conformance.py --incremental
    python benchmarks/conformance.py --prefixes

Every instance of every schema is written in the schema's property order and in its own, tokenised
with a real vocabulary and walked through the matcher. A valid instance must be accepted in one of
the two spellings, an invalid one refused in both; a schema that nothing satisfies is rightly
refused. Without `--maskbench` and `--suite` both are taken from ../shared/data.

Times are processor time: of compiling (reading the schema included), and of `fill_mask` plus
`accept` for a token. The last line is a JSON object: our figures, the peers' under their names,
and those of each set under `suite` and `maskbench`.
"""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path

from acceptance.cases import Case, read_maskbench, read_suite, sample
from acceptance.incremental import print_incremental
from acceptance.judging import Judge, Outcome, lost
from acceptance.prefixes import print_prefixes
from acceptance.reporting import (
    print_failures,
    print_keywords,
    print_sections,
    print_times,
    summary,
)
from acceptance.systems import SYSTEMS, System
from acceptance.workers import in_workers
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.vocabulary import Vocabulary

OURS = "steermagic"
_DATA = Path(os.environ.get("STEER_TEST_DATA", Path(__file__).parents[2] / "shared")) / "data"


def main() -> None:
    """Measure and print, the last line as JSON."""
    options = _options(parser(__doc__.splitlines()[0]))
    if options.prefixes:
        print_prefixes()
        return
    vocabulary = read_vocabulary(options.vocab)
    if options.incremental:
        print_incremental(vocabulary)
        return
    cases = read_cases(options)
    by_system = {
        system.name: in_workers(
            partial(Judge(vocabulary).judge, system),
            cases,
            lost=lost,
            limit_s=options.time_limit,
            n_jobs=options.jobs,
        )
        for system in systems(vocabulary, options.peers)
    }
    report(by_system, lists_all=options.list)


def _options(parser: argparse.ArgumentParser) -> argparse.Namespace:
    add = parser.add_argument
    add("--peers", default="llguidance,xgrammar", help="names, or an empty text for none")
    add("--incremental", action="store_true", help="only the time along a long array")
    add("--prefixes", action="store_true", help="only the brute force over small schemas")
    return parser.parse_args()


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that say which cases are tried, and how."""
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--maskbench", type=Path, help="a file of MaskBench schemas, one JSON object a line")
    add("--suite", type=Path, help="folder of the JSON Schema test suite")
    add("--remotes", type=Path, help="folder of its remotes, if it is elsewhere")
    add("--drafts", default="", help="only these folders of the suite, for example draft7")
    add("--limit", type=int, help="judge this many schemas of each set, drawn at random")
    add("--seed", type=int, default=0)
    add("--vocab", type=Path, default=_DATA / "vocab" / "ggml-vocab-llama-bpe.gguf")
    add("--time-limit", type=float, default=30.0, help="processor seconds for a schema")
    add("--jobs", type=int, default=1, help="worker processes")
    add("--list", action="store_true", help="print each failing case")
    return parser


def read_cases(options: argparse.Namespace) -> list[Case]:
    """Return the cases that the options ask for."""
    maskbench, suite = options.maskbench, options.suite
    if maskbench is None and suite is None:
        maskbench, suite = _DATA / "maskbench_open.jsonl.xz", _DATA / "json-schema-test-suite"
    cases = []
    if suite is not None:
        of_suite = read_suite(suite, options.remotes)
        drafts = options.drafts.split(",") if options.drafts else []
        if drafts:
            of_suite = [case for case in of_suite if case.section.split()[0] in drafts]
        cases += sample(of_suite, options.limit, options.seed)
    if maskbench is not None:
        cases += sample(read_maskbench(maskbench), options.limit, options.seed)
    return cases


def systems(vocabulary: Vocabulary, peers: str) -> list[System]:
    """Return ours and the peers named; one that is not installed is said and left out."""
    found = []
    for name in [OURS, *filter(None, peers.split(","))]:
        try:
            found.append(SYSTEMS[name](vocabulary))
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return found


def report(by_system: dict[str, list[Outcome]], *, lists_all: bool) -> None:
    """Print the tables, what failed, and the JSON object."""
    print_sections(by_system)
    print_times(by_system)
    ours = by_system[OURS]
    print_keywords(ours)
    print()
    # A value wrongly let through is never left out.
    print_failures(ours, is_wanted=lambda kind: lists_all or kind == "wrong accept")
    figures = {name: _figures(outcomes) for name, outcomes in by_system.items()}
    print(json.dumps({**figures.pop(OURS), **figures}))


def _figures(outcomes: list[Outcome]) -> dict[str, object]:
    figures = summary(outcomes)
    of_maskbench = [each for each in outcomes if each.case.section.startswith("maskbench")]
    if 0 < len(of_maskbench) < len(outcomes):
        of_suite = [each for each in outcomes if not each.case.section.startswith("maskbench")]
        figures |= {"maskbench": summary(of_maskbench), "suite": summary(of_suite)}
    return figures


if __name__ == "__main__":
    main()
