from functools import cache

import pytest

from acceptance.prefixes import explore, is_masked, tiny_vocabulary, valid_texts
from acceptance.puzzles import puzzles
from steer_engine.grammar import GrammarCompiler
from steer_engine.schema import read_schema

PUZZLES = {puzzle.keyword: puzzle for puzzle in puzzles()}


@pytest.fixture(scope="module")
def found():
    """What brute force sees at every prefix of every valid text, by keyword."""
    vocabulary = tiny_vocabulary()
    compiler = GrammarCompiler(vocabulary)

    @cache
    def explored(keyword):
        puzzle = PUZZLES[keyword]
        grammar = compiler.compile(read_schema(puzzle.schema))
        return explore(grammar, vocabulary, valid_texts(puzzle))

    return explored


@pytest.mark.parametrize("keyword", PUZZLES)
def test_every_valid_value_can_still_be_reached_at_every_prefix_of_it(keyword, found):
    exploration = found(keyword)
    assert exploration.n_prefixes > 1
    assert exploration.lost == []


@pytest.mark.parametrize("keyword", PUZZLES)
def test_the_text_may_end_only_where_it_is_valid(keyword, found):
    ends = [prefix for prefix, spelling in found(keyword).vain if spelling == b"<end>"]
    assert ends == []


@pytest.mark.parametrize("keyword", PUZZLES)
def test_what_the_contract_calls_masked_allows_no_token_in_vain(keyword, found):
    if not is_masked(PUZZLES[keyword]):
        pytest.skip(
            "the guard has a part in it, and how far it sees ahead is a benchmark's business"
        )
    assert found(keyword).vain == []
