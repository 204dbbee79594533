import json

from hypothesis import given
from hypothesis import strategies as st

from steer_engine.cursor import JsonCursor

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=4), children, max_size=4)
    ),
    max_leaves=12,
)


def scalars(value, pointer=""):
    """Yield the pointer of each scalar of `value`, in the order of its text."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from scalars(item, pointer + "/" + key.replace("~", "~0").replace("/", "~1"))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from scalars(item, f"{pointer}/{i}")
    else:
        yield pointer


@given(json_values, st.booleans(), st.booleans())
def test_the_cursor_visits_the_scalars_of_a_value_in_order(value, ascii_only, compact):
    separators = (",", ":") if compact else (", ", ": ")
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode()
    cursor, visited, was_inside = JsonCursor(), [], False
    for byte in text:
        cursor.feed(bytes([byte]))
        if cursor.in_scalar and not was_inside:
            visited.append(cursor.pointer)
        was_inside = cursor.in_scalar
    assert visited == list(scalars(value))


def test_the_pointer_is_ready_before_the_value_begins():
    cursor = JsonCursor()
    cursor.feed(b'{"a": 1, "items": [{"b": ')
    assert cursor.pointer == "/items/0/b"
    assert not cursor.in_scalar
    cursor.feed(b'"x"}, ')
    assert cursor.pointer == "/items/1"


def test_brackets_in_strings_and_escaped_quotes_are_text():
    cursor = JsonCursor()
    cursor.feed(rb'{"a": "}\", [", "~/": ')
    assert cursor.pointer == "/~0~1"
