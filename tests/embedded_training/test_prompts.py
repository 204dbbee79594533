"""The corpus asks as the engine asks."""

from embedded_training.corpus import example
from embedded_training.prompts import instruction
from steer_engine import compose, read_schema, write_notation


def test_the_prompt_is_what_the_engine_composes():
    for i in range(40):
        item = example(f"prompt {i}")
        system, user = compose(item.prompt, read_schema(item.schema))
        assert (system.content, user.content) == (instruction(item.schema), item.prompt)


def test_every_schema_can_be_said_in_the_notation_and_read_back():
    for i in range(40):
        schema = read_schema(example(f"notation {i}").schema)
        text = write_notation(schema)
        assert text is not None
        assert write_notation(read_schema(text)) == text
