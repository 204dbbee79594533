"""How sure the model was of what it wrote."""

import json
import math
from collections import defaultdict

import numpy as np
import pytest

from steer_engine import (
    Choices,
    Confidence,
    Engine,
    Regex,
    Request,
    RowDone,
    Sampling,
    Step,
    Steps,
    StepsUndone,
    engine,
    forking,
    read_schema,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.confidence import confidence_of
from steer_engine.cursor import JsonCursor
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.prompting import Message
from steer_engine.steps import Fork

VOCABULARY = FakeBackend().vocabulary
COMPILER = GrammarCompiler(VOCABULARY)
PROMPT = (Message("user", "what is it?"),)


class Mild(FakeBackend):
    """A model of weak preferences, so that every way has some probability."""

    def _logits(self, tokens):
        return super()._logits(tokens) * np.float32(0.7)


class Counting(Mild):
    """Counts the questions, and notes the most that a slot ever held."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.n_questions = self.most_held = 0

    def forward(self, runs):
        answers = super().forward(runs)
        self.n_questions += len(runs)
        self.most_held = max(self.most_held, *map(len, self._slots))
        return answers


def follow(backend, schema, *, sampling=Sampling(), max_tokens=400, n_thoughts=0):  # noqa: B008
    """Run one row; return its end, the steps that stayed, and how many were taken back."""
    steps, n_undone, done = [], 0, None
    with Engine(backend) as opened:
        request = Request(0, PROMPT, schema, sampling, max_tokens, n_thoughts=n_thoughts)
        for event in opened.run([request]):
            if isinstance(event, Steps):
                steps += event.steps
            elif isinstance(event, StepsUndone):
                del steps[len(steps) - event.n_steps :]
                n_undone += event.n_steps
            elif isinstance(event, RowDone):
                done = event
    return done, steps, n_undone


class Enumeration:
    """All texts that steered decoding can write from some place on, with their probabilities."""

    def __init__(self, backend, schema, tokens):
        prompt = Engine(backend)._prompt(Request(0, PROMPT, schema))
        matcher, self._backend = COMPILER.compile(schema).matcher(), backend
        assert all(matcher.accept(token) for token in tokens)
        self._start = (matcher, prompt + tokens, b"")

    def texts(self, *, is_over=lambda text: False):
        """Return the probability of each text; one that `is_over` is not continued."""
        return self._from(*self._start, is_over)

    def _from(self, matcher, tokens, text, is_over):
        """Return the texts from here on; none where this leads nowhere."""
        for forced in matcher.fast_forward_tokens():
            if not matcher.accept(forced):
                break
            tokens, text = [*tokens, forced], text + VOCABULARY.spellings[forced]
        if matcher.is_stopped or is_over(text):
            return {text: 1.0}
        found = []
        for token, weight, longer in self._ways(matcher, tokens):
            if token in VOCABULARY.eos_ids:
                found.append((weight, {text: 1.0}))
            else:
                longer_text = text + VOCABULARY.spellings[token]
                found.append((weight, self._from(longer, [*tokens, token], longer_text, is_over)))
        total = sum(weight for weight, texts in found if texts)
        united = defaultdict(float)
        for weight, texts in found:
            for each, prob in texts.items():
                united[each] += prob * weight / total
        return united

    def _ways(self, matcher, tokens):
        logits = self._backend._logits(tokens).astype(np.float64)
        mask = allocate_mask(len(logits))
        matcher.fill_mask(mask)
        sound = []
        for token in map(int, np.flatnonzero(unpack_mask(mask, len(logits)))):
            longer = matcher.copy()
            if token in VOCABULARY.eos_ids or longer.accept(token):
                sound.append((token, longer))
        for token, longer in sound:
            yield token, float(np.exp(logits[token])), longer


@pytest.fixture
def without_limits(monkeypatch):
    monkeypatch.setattr(forking, "NEGLIGIBLE", 0.0)
    monkeypatch.setattr(forking, "MAX_QUESTIONS", 100_000)


def drawn(seed):
    return Sampling(temperature=1.5, seed=seed) if seed else Sampling()


ANSWERS = {
    "words": read_schema('"the" | "then" | "theory" | "name" | "nah"'),
    "with null": read_schema('"the name" | "the" | None'),
    "numbers": read_schema({"enum": [1, 12, 120, 2, 20, 2.5, -1, 3.0]}),
    "mixed": read_schema({"enum": [True, "true", None, "null", 1, "1"]}),
    "boolean": read_schema("bool"),
    "choices": Choices(("the", "then", "the name", "é", "éa")),
}


@pytest.mark.usefixtures("without_limits")
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("seed", range(4))
def test_the_probability_of_an_alternative_is_that_of_all_ways_to_write_it(name, seed):
    """Whichever way was taken, and whatever the temperature was."""
    schema, backend = ANSWERS[name], Mild()
    done, _, _ = follow(backend, schema, sampling=drawn(seed))
    [found] = done.confidence
    assert found.pointer == ""
    expected = Enumeration(backend, schema, []).texts()
    texts = {_written(value, schema).encode(): prob for value, prob in found.alternatives}
    assert texts == pytest.approx(expected, abs=1e-6)
    assert [prob for _, prob in found.alternatives] == sorted(texts.values(), reverse=True)


def _written(value, schema):
    if isinstance(schema, Choices):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


DEFINED = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 0, "maximum": 20},
        "mood": {"$ref": "#/$defs/mood"},
        "seen": {"type": ["boolean", "null"]},
        "kind": {"const": "the"},
        "parts": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"of": {"anyOf": [{"const": "na"}, {"const": "no"}, {"const": 5}]}},
                "required": ["of"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["id", "mood", "seen", "kind", "parts"],
    "additionalProperties": False,
    "$defs": {"mood": {"anyOf": [{"enum": ["good", "gone", "bad"]}, {"type": "null"}]}},
}
RECORDS = {
    "defined": read_schema(DEFINED),
    "guarded": read_schema(
        {
            "type": "array",
            "minItems": 3,
            "maxItems": 3,
            "items": {"enum": ["the", "then", "name", 1, 12]},
            "uniqueItems": True,
        }
    ),
    "optional": read_schema(
        {
            "type": "object",
            "properties": {"a": {"enum": ["x", "xy"]}, "ab": {"type": "boolean"}},
            "additionalProperties": False,
        }
    ),
}


@pytest.mark.usefixtures("without_limits")
@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("seed", range(12))
def test_inside_a_record_they_are_those_of_the_ways_on_from_the_tokens_before(name, seed):
    schema, backend = RECORDS[name], Mild()
    done, steps, n_undone = follow(backend, schema, sampling=drawn(seed))
    for each in done.confidence:
        places = [i for i, step in enumerate(steps) if step.fork and at(step.fork, each.pointer)]
        if not places or n_undone:
            continue  # what the search has given up is out of the enumeration's sight
        before = steps[: places[0]]
        expected = enumerated(backend, schema, before, each.pointer)
        found = {json.dumps(value): prob for value, prob in each.alternatives if prob}
        # Behind a branch that turns out to lead nowhere nothing is shared out again.
        missing = 1 - sum(found.values()) if name == "guarded" else 0
        assert found.keys() == expected.keys()
        for value, prob in expected.items():
            assert prob == pytest.approx(found[value] + missing / 2, abs=missing / 2 + 1e-6)


def at(fork, pointer):
    return fork.pointer == pointer


def enumerated(backend, schema, steps, pointer):
    """Return the probability of each value at `pointer`, if it is written after `steps`."""
    before = b"".join(step.spelling for step in steps)
    ways = Enumeration(backend, schema, [step.token for step in steps]).texts(
        is_over=lambda text: value_of(before + text, pointer) is not None
    )
    values = defaultdict(float)
    for text, prob in ways.items():
        value = value_of(before + text, pointer)
        if value is not None:  # else a list ended instead
            values[value] += prob
    return {value: prob / sum(values.values()) for value, prob in values.items()}


@pytest.mark.parametrize("seed", range(12))
def test_what_is_taken_back_has_no_part_in_the_probabilities(seed):
    done, _, _ = follow(Mild(), RECORDS["guarded"], sampling=drawn(seed))
    for number, each in enumerate(done.confidence):
        probs = dict(each.alternatives)
        assert sum(probs.values()) <= 1 + 1e-6
        assert probs[done.record[number]] > 0
        twice = [value for value in done.record[:number] if isinstance(value, str)]
        assert not any(probs[value] for value in twice)  # they are unique


@pytest.mark.parametrize(
    ("gap", "share"), [(0, 0.006693), (30, 0.006693), (38, 0.006693), (45, 0.006693), (800, 0)]
)
def test_what_the_guard_refuses_has_no_part_in_the_probabilities_however_probable(gap, share):
    """A share of the rest was what rounding left of it, and an error where that was nothing."""

    class Stubborn(FakeBackend):
        def _logits(self, tokens):
            logits = super()._logits(tokens)
            text = VOCABULARY.spell(tokens)
            if text.endswith(b'["aa", "'):
                logits[list(b"ba")] = 20, 15
            if text.endswith(b'["aa", "a'):
                logits[:] = 0
                logits[ord("a")] = gap
            return logits

    items = {"enum": ["aa", "ab", "ba"]}
    schema = {"type": "array", "items": items, "uniqueItems": True, "minItems": 2, "maxItems": 2}
    done, _, _ = follow(Stubborn('["aa", "ba"]'), read_schema(schema))
    probs = dict(done.confidence[1].alternatives)
    assert done.record == ["aa", "ba"]
    assert probs == pytest.approx({"ba": 0.993307, "ab": share, "aa": 0}, abs=1e-6)


def value_of(text, pointer):
    """Return the JSON text of the value at `pointer` if it is complete in `text`, else None."""
    cursor, start = JsonCursor(), None
    for at, byte in enumerate(text):
        was_inside, before = cursor.in_scalar, cursor.pointer
        cursor.feed(bytes([byte]))
        if start is None and cursor.in_scalar and cursor.pointer == pointer:
            start = at
        elif start is not None and was_inside and not cursor.in_scalar and before == pointer:
            is_string = byte == ord('"')
            return text[start : at + is_string].decode()
    return None


WORDS = read_schema('word: "the" | "then" | "theory" | "name" | "nah" | "north", ok: bool')


def test_questions_have_no_part_in_what_is_written(monkeypatch):
    asked, silent = Counting(), Counting()
    done, _, _ = follow(asked, WORDS)
    monkeypatch.setattr(engine, "alternatives_of", lambda schema: None)
    alone, _, _ = follow(silent, WORDS)
    assert done.text == alone.text
    assert asked.n_questions > silent.n_questions


def test_what_is_not_followed_up_is_nobodys_share(monkeypatch):
    sums = []
    for n_questions in (0, 1, 2, 8):
        monkeypatch.setattr(forking, "MAX_QUESTIONS", n_questions)
        backend = Counting()
        done, steps, _ = follow(backend, WORDS)
        n_forks = sum(step.fork is not None for step in steps)
        n_sampled = sum(step.logprob is not None for step in steps)
        assert backend.n_questions <= n_sampled + n_forks * n_questions
        sums.append(sum(prob for _, prob in done.confidence[0].alternatives))
    assert sums == sorted(sums)
    assert sums[0] < sums[-1] <= 1 + 1e-6


def test_the_questions_of_a_row_fit_into_its_memory():
    done, steps, _ = follow(Counting(), WORDS)
    exact = Counting()
    again, _, _ = follow(exact, WORDS, max_tokens=len(steps))
    assert again.record == done.record
    assert exact.most_held <= again.n_prompt_tokens + len(steps)


def test_a_model_that_cannot_forget_is_asked_nothing():
    class Recurrent(Counting):
        can_trim = False

        def trim(self, slot, n_tokens):
            assert n_tokens == len(self._slots[slot])
            super().trim(slot, n_tokens)

    done, _, _ = follow(Recurrent(), WORDS)
    word, ok = done.confidence
    assert 0 < sum(prob for _, prob in word.alternatives) < 1
    assert sum(prob for _, prob in ok.alternatives) <= 1 + 1e-6


def test_a_value_has_the_mean_of_what_was_chosen_for_it_with_the_token_that_ends_it():
    schema = read_schema('name: str, mood: "good" | "bad", kind: "the"')
    done, steps, _ = follow(FakeBackend('{"name": "Zoë", "mood": "bad", "kind": "the"}'), schema)
    name, mood, kind = done.confidence
    chosen = [s.masked_logprob for s in steps if s.pointer == "/name" and s.origin != "forced"]
    assert len(chosen) >= 4
    assert name.mean == pytest.approx(math.exp(sum(chosen) / len(chosen)))
    assert name.least == pytest.approx(math.exp(min(chosen)))
    assert name.alternatives == ()
    assert mood.pointer == "/mood"
    assert [value for value, _ in mood.alternatives] == ["bad", "good"]
    assert kind == Confidence("/kind", 1.0, 1.0, (("the", 1.0),))


def test_that_a_value_is_not_null_is_chosen_with_the_blank_before_it():
    steps = [
        Step(0, b'{"n":', "forced", ""),
        Step(0, b" ", "forced", "/n", logprob=math.log(0.5), masked_logprob=math.log(0.5)),
        Step(0, b"7", "chosen", "/n", logprob=math.log(0.9), masked_logprob=math.log(0.9)),
        Step(0, b"}", "forced", ""),
    ]
    [found] = confidence_of(read_schema("n: int | None"), {"n": 7}, steps)
    assert found.least == pytest.approx(0.5)
    assert found.mean == pytest.approx(math.sqrt(0.5 * 0.9))


def test_thoughts_and_unsteered_text_have_no_part():
    schema = read_schema('mood: "good" | "bad"')
    done, steps, _ = follow(FakeBackend(), schema, n_thoughts=5)
    assert any(step.is_thought for step in steps)
    own = [s.masked_logprob for s in steps if not s.is_thought and s.origin == "narrowed"]
    assert done.confidence[0].least == pytest.approx(math.exp(min(own)))
    free, _, _ = follow(FakeBackend("the name"), None)
    assert free.confidence == ()


def test_text_of_a_form_is_one_value():
    done, steps, _ = follow(FakeBackend("the name"), Regex("the (name|game)"))
    [found] = done.confidence
    chosen = [step.masked_logprob for step in steps if step.origin in ("chosen", "narrowed")]
    assert found == Confidence("", pytest.approx(math.exp(sum(chosen) / len(chosen))), found.least)


def test_the_end_is_a_step_where_the_text_could_have_gone_on():
    done, steps, _ = follow(FakeBackend("the"), Choices(("the", "then", "a")))
    assert done.text == "the"
    assert [step.spelling for step in steps][-1] == b""
    assert steps[-1].token in VOCABULARY.eos_ids
    assert dict(done.confidence[0].alternatives)["the"] > 0.9
    done, steps, _ = follow(FakeBackend("a"), Choices(("the", "then", "a")))
    assert steps[-1].spelling == b"a"  # nothing can follow


def test_a_value_that_was_only_closed_has_no_confidence():
    schema = read_schema('text: str, mood: "good" | "bad"')
    done, steps, _ = follow(FakeBackend('{"text": "' + "the " * 99), schema, max_tokens=40)
    assert done.finish_reason == "length"
    assert steps[-1].origin == "closed"
    assert [each.pointer for each in done.confidence] == ["/text"]


def test_that_there_is_nothing_is_a_value():
    schema = read_schema("tags: list[str] | None, more: dict[str, int], none: list[str]")
    done, steps, _ = follow(Mild('{"tags": [], "more": {}, "none": []}'), schema)
    assert done.record == {"tags": [], "more": {}, "none": []}
    found = {each.pointer: each for each in done.confidence}
    assert [*found] == ["/tags", "/more", "/none"]
    for pointer, each in found.items():
        own = [
            step.masked_logprob
            for step in steps
            if step.pointer in (pointer, f"{pointer}/0") and step.masked_logprob is not None
        ]
        assert own
        assert each.least == pytest.approx(math.exp(min(own)))


def test_what_was_emptied_to_end_in_time_was_not_the_models_choice():
    schema = read_schema("tags: list[str]")
    begun = Step(0, b'{"tags": [', "chosen", "/tags/0", -0.1, -0.1)
    ended = Step(0, b"]}", "closed", "/tags")
    assert confidence_of(schema, {"tags": []}, (begun, ended)) == ()
    whole = Step(0, b'{"tags": []}', "chosen", "", -0.1, -0.1)
    assert confidence_of(schema, {"tags": []}, (whole,)) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "0.00001"),
        (-2.5e-7, "-0.00000025"),
        (-0.0, "0"),
        (1e16, "1" + "0" * 16),
        (1e23, "1" + "0" * 23),
        ("a\x7f", r'"a\u007f"'),
        ("a\x01", r'"a\u0001"'),
    ],
)
def test_alternatives_are_known_as_the_mask_writes_them(value, text):
    schema = read_schema({"enum": [0.0001, "a", 12, value]})
    done, _, _ = follow(FakeBackend(text), schema)
    assert done.text == text
    assert done.confidence[0].alternatives[0] == (value, pytest.approx(1, abs=1e-3))


@pytest.mark.parametrize("others", [[0.0001, 0.02, 0.3], [0.0001, 0.0002, 0.3]])
def test_a_value_in_another_spelling_has_no_alternatives(others, monkeypatch):
    monkeypatch.setattr("steer_engine.alternatives.spelled", json.dumps)
    schema = read_schema({"enum": [1.1e-05, *others]})
    done, _, _ = follow(FakeBackend("0.000011"), schema)
    assert done.text == "0.000011"
    assert done.confidence[0].alternatives == ()


def test_after_a_token_that_ruled_some_out_there_are_no_alternatives():
    schema = read_schema({"type": "array", "items": {"enum": ["a", None]}})
    entered = Step(0, b', "', "chosen", "/1", -0.1, -0.1)
    steps = (Step(0, b'["a"', "forced", "/0"), entered, Step(0, b'a"]', "forced", "/1"))
    first, second = confidence_of(schema, ["a", "a"], steps)
    assert first.alternatives == (("a", 1.0), (None, 0.0))
    assert second.alternatives == ()
    assert second.mean == pytest.approx(math.exp(-0.1))


def test_shares_are_put_together_along_the_way_that_was_taken():
    schema = read_schema({"enum": ["aa", "ab", "b"]})
    steps = (
        Step(0, b'"', "forced", ""),
        Step(0, b"a", "chosen", "", -0.1, -0.1, fork=Fork("", ((2, 0.2),), 0.7)),
        Step(0, b"b", "chosen", "", -0.1, -0.1, fork=Fork("", ((0, 0.1), (1, 0.9)))),
        Step(0, b'"', "forced", ""),
    )
    [found] = confidence_of(schema, "ab", steps)
    assert dict(found.alternatives) == pytest.approx({"ab": 0.63, "b": 0.2, "aa": 0.07})
    unfinished = (*steps[:2], Step(0, b'b"', "forced", ""))  # only the mask knew why
    [found] = confidence_of(schema, "ab", unfinished)
    assert dict(found.alternatives) == pytest.approx({"ab": 0.7, "b": 0.2, "aa": 0.0})
