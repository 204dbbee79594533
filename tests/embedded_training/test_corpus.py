"""The corpus: reproducible, valid, answerable, and free of what is held out."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields

import pytest
from jsonschema import Draft202012Validator

from embedded_training.corpus import MAIN, ONLY_DOMAINS, Mixture, example
from embedded_training.evaluation_sets import SETS, evaluation_examples
from embedded_training.prompts import instruction
from embedded_training.randomness import HeldOut, Source, word_pools
from embedded_training.schemas import all_verbatim
from embedded_training.situations import situation_names, situations
from embedded_training.tables import (
    concepts,
    domain_names,
    domains,
    families,
    family_names,
    held_out_names,
    truths,
)
from embedded_training.wording import SLOT, one_of_many

EXAMPLES = [example(f"test {i}") for i in range(150)]
ALL_HELD_OUT = HeldOut(values=True, templates=True, names=True, domains=True)


WRITTEN = ("date", "time", "date-time")  # written in another form than the text has


def strings_of(value, schema):
    """Yield the texts of an answer that are to be copied."""
    schema = schema.get("anyOf", [schema])[0]
    if isinstance(value, dict):
        for name, member in value.items():
            place = schema.get("properties", {}).get(name) or schema["additionalProperties"]
            yield from strings_of(member, place)
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item, schema["items"])
    elif isinstance(value, str) and "enum" not in schema and schema.get("format") not in WRITTEN:
        yield value


def test_a_seed_gives_the_same_example_again():
    assert [example(f"test {i}") for i in range(30)] == EXAMPLES[:30]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_gives_the_same_example_in_every_process(hash_seed):
    code = """if True:
        from embedded_training.corpus import example
        print([example(f"test {i}") for i in range(150)])"""
    settings = {"PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | settings | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert told.stdout.strip() == str(EXAMPLES)


def test_different_seeds_give_different_examples():
    assert len({item.prompt for item in EXAMPLES}) > 0.95 * len(EXAMPLES)


def test_every_answer_is_valid_under_its_schema():
    for item in EXAMPLES:
        Draft202012Validator.check_schema(item.schema)
        validator = Draft202012Validator(
            item.schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        validator.validate(item.answer)


def test_every_answer_has_the_properties_in_the_order_of_the_schema():
    for item in EXAMPLES:
        if item.schema["type"] == "object":
            assert list(item.answer) == list(item.schema["properties"]) == item.schema["required"]


@pytest.mark.parametrize("held_out", [HeldOut(), ALL_HELD_OUT], ids=["training", "all held out"])
def test_every_text_to_copy_is_in_the_prompt(held_out):
    for i in range(100):
        item = example(f"copy {i}", held_out=held_out)
        for text in strings_of(item.answer, item.schema):
            assert text in item.prompt


def test_all_texts_of_a_schema_may_be_verbatim():
    for item in EXAMPLES:
        told = instruction(all_verbatim(item.schema))
        assert not re.search(r": str\b|list\[str\]", told), told
    shares = [": verbatim" in instruction(item.schema) for item in EXAMPLES]
    assert 0.1 < sum(shares) / len(shares) < 0.5


def test_numbers_are_written_shortest():
    for item in EXAMPLES:
        assert not re.search(r"\d\.0[,}\]]", json.dumps(item.answer))


def test_training_draws_no_held_out_value():
    pools = word_pools()
    names = {word for name in ("first_names", "last_names") for word in pools[name].held_out}
    prompts = " ".join(item.prompt for item in EXAMPLES)
    assert not names.intersection(re.findall(r"\w+", prompts))


def test_no_list_has_a_word_that_another_holds_out():
    held_out = {word for pool in word_pools().values() for word in pool.held_out}
    assert not held_out & {word for pool in word_pools().values() for word in pool.usual}


def test_training_draws_no_held_out_field_name():
    held_out = {name for concept in concepts().values() for name in concept.naming.held_out_names}
    usual = {name for concept in concepts().values() for name in concept.naming.names}
    asked = {
        name for item in EXAMPLES for name in re.findall(r'"(\w+)": \{', json.dumps(item.schema))
    }
    assert not asked.intersection(held_out - usual)


def test_the_sets_of_evaluation_draw_what_is_held_out():
    held_out = {word for pool in word_pools().values() for word in pool.held_out}
    text = " ".join(item.prompt for item in evaluation_examples("new values", 60))
    assert held_out.intersection(re.findall(r"\w+", text))
    assert set(SETS) == {
        *("familiar", "new values", "new templates", "new names", "new domains", "all new")
    }


def test_training_draws_no_held_out_domain():
    kept = {
        slot
        for name in domain_names(held_out=True)
        for slot in domains()[name].slots
        if all(slot not in domains()[other].slots for other in domain_names(held_out=False))
    }
    names = {name for slot in kept for name in concepts()[slot].naming.names}
    elsewhere = {
        name
        for domain in domain_names(held_out=False)
        for slot in domains()[domain].slots
        for name in concepts()[slot].naming.names
    }
    elsewhere |= {
        name
        for situation in situation_names(held_out=False)
        for question in situations()[situation].questions
        for name in question.names
    }
    asked = {
        name for item in EXAMPLES for name in re.findall(r'"(\w+)": \{', json.dumps(item.schema))
    }
    assert len(domain_names(held_out=True)) >= 3
    assert not asked.intersection(names - elsewhere - {"age", "bid", "goal", "pet"})


def test_no_held_out_name_is_a_usual_one_of_another_concept():
    usual = {name for concept in concepts().values() for name in concept.naming.names}
    assert not held_out_names() & usual


def test_a_list_of_rows_may_be_empty():
    rows_only = Mixture(**{f.name: float(f.name == "rows") for f in fields(Mixture)})
    lengths = set()
    for i in range(300):
        item = example(f"rows {i}", mixture=rows_only)
        answer = item.answer
        found = [answer] if isinstance(answer, list) else [*answer.values()]
        lengths |= {len(rows) for rows in found if isinstance(rows, list)}
    assert lengths >= set(range(9))


def test_every_kind_of_field_is_asked_for():
    schemas = json.dumps([example(f"kinds {i}").schema for i in range(2400)])
    for mark in ("date", "time", "date-time", "email", "uri", "minimum", "maximum", "x-steer"):
        assert f'"{mark}"' in schemas
    assert '"additionalProperties": {"type"' in schemas
    assert '"items": {"type": "integer"}' in schemas


def test_the_shares_of_a_mixture_add_up():
    for mixture in (MAIN, ONLY_DOMAINS):
        shares = [getattr(mixture, name) for name in mixture.__dataclass_fields__]
        assert sum(shares) == pytest.approx(1)


def test_every_slot_of_every_template_is_a_concept():
    for domain in domains().values():
        templates = [*domain.clauses.usual, *domain.clauses.held_out]
        templates += [*domain.wholes.usual, *domain.wholes.held_out]
        templates += [*domain.rows.usual, *domain.rows.held_out]
        for part in domain.parts.values():
            templates += [text for cues in part.values() for text in (*cues.usual, *cues.held_out)]
        slots = {slot.lstrip("_") for text in templates for slot, _ in SLOT.findall(text)}
        parts = {f"part.{name}" for name in domain.parts}
        assert slots - {"say"} - parts <= set(concepts())


def test_every_sentence_of_a_table_can_be_said():
    source = Source.seeded(1)
    told = (*family_names(held_out=False), *family_names(held_out=True))
    cues = [meaning.cues for name in told for meaning in families()[name].classes.values()]
    cues += [answer for truth in truths() for answer in (truth.when_true, truth.when_false)]
    for cue in cues:
        assert cue.usual
        for sentence in (*cue.usual, *cue.held_out):
            assert not set("<>|") & set(one_of_many(source, sentence))


def test_each_scheme_of_labels_names_every_class_differently():
    for family in families().values():
        for scheme in (*family.schemes, *family.held_out_schemes):
            assert set(scheme) == set(family.classes)
            assert len(set(scheme.values())) == len(scheme)


def test_no_held_out_sentence_is_among_the_usual_ones():
    told = (*family_names(held_out=False), *family_names(held_out=True))
    cues = [meaning.cues for name in told for meaning in families()[name].classes.values()]
    cues += [answer for truth in truths() for answer in (truth.when_true, truth.when_false)]
    cues += [part for d in domains().values() for part in (d.clauses, d.wholes, d.rows)]
    usual = {sentence for cue in cues for sentence in cue.usual}
    assert not usual & {sentence for cue in cues for sentence in cue.held_out}
