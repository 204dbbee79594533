"""The compact notation: what it accepts, and what it says about what it does not."""

import pytest

from steer_engine.errors import SchemaSyntaxError
from steer_engine.schema import read_schema, write_notation
from steer_engine.schema.shapes import closed_object

TEXT = {"type": "string"}


def properties(text):
    return read_schema(text).document["properties"]


def test_the_cell_of_three_dogs():
    assert read_schema("name: str, age: int, superpower: str").document == closed_object(
        {"name": TEXT, "age": {"type": "integer"}, "superpower": TEXT}
    )


def test_the_cell_of_the_ticket():
    assert properties(
        'subject: str\nurgency: "low" | "medium" | "high"     # how fast must we answer\n'
        "due: date | None\namount: float | None  # in EUR\n"
    ) == {
        "subject": TEXT,
        "urgency": {"enum": ["low", "medium", "high"], "description": "how fast must we answer"},
        "due": {"type": ["string", "null"], "format": "date"},
        "amount": {"type": ["number", "null"], "description": "in EUR"},
    }


def test_the_cell_of_the_reviews():
    assert properties(
        'sentiment: "neg" | "mixed" | "pos"\ntopics: list[str]  # at most three words each'
    ) == {
        "sentiment": {"enum": ["neg", "mixed", "pos"]},
        "topics": {"type": "array", "items": TEXT, "description": "at most three words each"},
    }


def test_all_fields_are_required_and_no_others_allowed():
    document = read_schema("a: str = 'x', b: int | None").document
    assert document["required"] == ["a", "b"]
    assert document["additionalProperties"] is False


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("int 0..120", {"type": "integer", "minimum": 0, "maximum": 120}),
        ("int 1..", {"type": "integer", "minimum": 1}),
        ("int ..9", {"type": "integer", "maximum": 9}),
        ("float -0.5..1.5 | None", {"type": ["number", "null"], "minimum": -0.5, "maximum": 1.5}),
        ("float 1e-3..", {"type": "number", "minimum": 0.001}),
        (r"/\d{2}\/[a-z]/", {"type": "string", "pattern": r"^(?:\d{2}/[a-z])$"}),
        (r"/\p{L}+/", {"type": "string", "pattern": r"^(?:\p{L}+)$"}),
        (r"/(?<y>\d)\u{41}/", {"type": "string", "pattern": r"^(?:(?<y>\d)\u{41})$"}),
        ("verbatim", {"type": "string", "x-steer": {"verbatim": True}}),
        ("email | None", {"type": ["string", "null"], "format": "email"}),
        ("datetime", {"type": "string", "format": "date-time"}),
        ("url", {"type": "string", "format": "uri"}),
        ("uuid.UUID", {"type": "string", "format": "uuid"}),
        ("dt.date", {"type": "string", "format": "date"}),
        ("time", {"type": "string", "format": "time"}),
        ("list", {"type": "array"}),
        ("dict", {"type": "object"}),
        ("dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("typing.List[bool]", {"type": "array", "items": {"type": "boolean"}}),
        ("[str]", {"type": "array", "items": TEXT}),
        ("[a: str, b]", {"type": "array", "items": closed_object({"a": TEXT, "b": TEXT})}),
        ("{}", closed_object({})),
        ("Literal['a', \"b\", 1, True]", {"enum": ["a", "b", 1, True]}),
        ('"a" | None | "b"', {"enum": ["a", "b", None]}),
        ("1 | True | 1", {"enum": [1, True]}),
        ("None", {"type": "null"}),
        ("Optional[float]", {"type": ["number", "null"]}),
        ("Union[int, str, None]", {"type": ["integer", "string", "null"]}),
        ('str | "a"', {"anyOf": [TEXT, {"enum": ["a"]}]}),
        ("date | str", {"anyOf": [{"type": "string", "format": "date"}, TEXT]}),
        ("list[str] | None", {"anyOf": [{"type": "array", "items": TEXT}, {"type": "null"}]}),
        ("int |\n   str", {"type": ["integer", "string"]}),
        ("list[\n  str,\n]", {"type": "array", "items": TEXT}),
    ],
)
def test_types(written, schema):
    assert properties(f"field: {written}") == {"field": schema}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("str = 'it\\'s \"x\"'", 'it\'s "x"'),
        ("str = 'a\\\\\"b'", 'a\\"b'),
        ('str = "it\\\'s"', "it's"),
        ("str | None = None", None),
        ("bool = True", True),
        ("bool = false", False),
        ("float = -1.5e3", -1500.0),
        ("list[int] = [1, 2,]", [1, 2]),
        ('dict = {"a": [null], "b": {}}', {"a": [None], "b": {}}),
        ("list = []", []),
    ],
)
def test_defaults(written, value):
    assert properties(f"field: {written}")["field"]["default"] == value


def test_names_without_types_and_types_without_colons():
    assert properties('name, age int, "my col", bio') == {
        "name": TEXT,
        "age": {"type": "integer"},
        "my col": TEXT,
        "bio": TEXT,
    }


def test_indented_blocks_are_objects_and_lists_of_objects():
    indented = (
        "customer:  # the buyer\n"
        "\tname: str  # in full\n"
        "\taddress:\n"
        "\t\tcity\n"
        "\t\n"
        "items: list  # the lines\n"
        "    # a comment alone\n"
        "    price: float\n"
        "last: str\n"
    )
    braces = (
        "customer: {  # the buyer\n    name: str  # in full\n"
        "    address: {\n        city: str\n    }\n}\n"
        "items: list[{  # the lines\n    price: float\n}]\nlast: str"
    )
    assert read_schema(indented) == read_schema(braces)
    assert write_notation(read_schema(indented)) == braces


def test_a_comment_belongs_to_one_field_only():
    fields = properties("a: str, b: int  # of b\nc: {x: str, y: str},  # of c\n# of none\nd\n")
    assert {name: field.get("description") for name, field in fields.items()} == {
        "a": None,
        "b": "of b",
        "c": "of c",
        "d": None,
    }
    inner = properties("c: {x: str, y: str  # of y\n}")["c"]
    assert "description" not in inner
    assert inner["properties"]["y"]["description"] == "of y"


def test_a_pasted_pydantic_class_is_its_fields_and_its_name():
    schema = read_schema(
        "class Ticket(BaseModel):  # pasted\n"
        '    """What a\n    mail says."""\n\n'
        "    urgency: Literal['low', 'high'] = 'low'  # how fast\n"
        "    due: Optional[date] = None\n"
    )
    assert schema.name == "Ticket"
    assert schema.document["description"] == "What a\nmail says."
    assert write_notation(schema) == (
        '"""What a\nmail says."""\n'
        'urgency: "low" | "high" = "low"  # how fast\n'
        "due: date | None = None"
    )


def test_brackets_around_everything_are_a_list_of_rows():
    rows = read_schema("[name, age: int]  # all dogs")
    assert rows.document["type"] == "array"
    assert rows.document["description"] == "all dogs"
    assert write_notation(rows) == "[  # all dogs\n    name: str\n    age: int\n]"


@pytest.mark.parametrize(
    "text",
    [
        "int",
        "str | None",
        '"a" | "b"',
        "list[date]  # days",
        "float 0..1",
        "/a+/",
        "[str]",
        "dict[str, int]",
    ],
)
def test_a_type_alone_is_the_whole_schema(text):
    assert "properties" not in read_schema(text).document


def test_quoted_names_without_types_are_fields_where_no_choice_is_meant():
    assert [*properties('"my col", "bio"')] == ["my col", "bio"]
    assert [*properties('a: str = "x", "my col"')] == ["a", "my col"]
    assert [*properties('kind: "invoice"\n"full name"')] == ["kind", "full name"]
    assert [*properties('a: {"my col", "bio"}')["a"]["properties"]] == ["my col", "bio"]
    rows = read_schema('["first name", age: int]').document["items"]
    assert [*rows["properties"]] == ["first name", "age"]


@pytest.mark.parametrize(
    "text", ["date", "name\nage int", "email, time", '"quoted"', "list: str", "int: str"]
)
def test_a_word_that_could_be_a_name_is_one(text):
    assert "properties" in read_schema(text).document


def test_line_ends_of_other_systems_and_strange_blanks():
    assert read_schema("a: str  # x\r\nb:\u00a0int\rc\r\n") == read_schema("a: str  # x\nb: int\nc")


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("name: strng", "unknown type 'strng'; did you mean 'str'?", 1, 7),
        ("a: str\nname: string", "unknown type 'string'; did you mean 'str'?", 2, 7),
        ("n: integer", "unknown type 'integer'; did you mean 'int'?", 1, 4),
        ("n: none", "unknown type 'none'; did you mean 'None'?", 1, 4),
        ("name: free text", "`name: str  # free text`", 1, 7),
        ("name: the owner's name, age: int", "`name: str  # the owner's name`", 1, 7),
        ('"my col": free text', '`"my col": str  # free text`', 1, 11),
        ("name: zzz", "use one of str, int, float", 1, 7),
        ("due: date of payment", "`due: date  # of payment`", 1, 11),
        ("a: str b: int", "put a comma or a line break before the field `b`", 1, 8),
        ("a:", "write `a: str`", 1, 3),
        ("a: ,", "expected a type and found `,`", 1, 4),
        ("", "the schema is empty", 1, 1),
        ("\n  # only a comment\n", "the schema is empty", 3, 1),
        ("a: {b: str\nc: int", "`{` is never closed; add `}`", 1, 4),
        ("[a: str", "`[` is never closed; add `]`", 1, 1),
        ("a: list[str", "`[` is never closed; add `]`", 1, 8),
        ("a: {b: str]", "expected `}` and found `]`", 1, 11),
        ("a: str }", "`}` closes nothing", 1, 8),
        ("a: str\n  b: str", "indented more", 2, 3),
        ("  a: str\nb: str", "indented less", 2, 1),
        ("a:\n    b: str\n  c: str", "indented more", 3, 3),
        ("a: str\na: int", "the field 'a' is there twice", 2, 1),
        ("a.b: str", '`"a.b": str`', 1, 1),
        ("a: int 5", "`int 0..120`", 1, 8),
        ("a: float 9..0", "the range is empty: 9 is above 0", 1, 10),
        ("a: int ..", "a range needs a bound", 1, 8),
        ("a: str 1..5", "only int and float have a range", 1, 8),
        ("a: int 1e999..", "too large", 1, 8),
        ("a: 007", 'does not begin with 0; write 7, or "007" for a text', 1, 4),
        ("a: int -00.5..5", "does not begin with 0; write -0.5", 1, 8),
        ("a: dict[int]", "write `dict[str, T]`", 1, 8),
        ("a: list[str, int]", "`list[T]`", 1, 8),
        ("a: str = None", "write `a: str | None = None`", 1, 4),
        ("a: str = Field(...)", "give the class itself", 1, 10),
        ("a: str = x", "'x' is not a value", 1, 10),
        ("a: dict = {1: 2}", "a key must be a quoted string", 1, 12),
        ('a: dict = {"b" 2}', "expected `:` after the key 'b'", 1, 16),
        (r"a: '\d'", "double the backslash", 1, 4),
        ("a: /(/", "is not a regular expression", 1, 4),
        ("a: /(?P<y>b)/", "is not a regular expression", 1, 4),
        ("a: 'open", "this quote is never closed; add `'`", 1, 4),
        ('a: "x" | "y\nb: str', 'this quote is never closed; add `"`', 1, 10),
        ("a: date = 2024-01-01", '`a: date = "2024-01-01"`', 1, 11),
        ("a: str = 10:30, b", '`a: str = "10:30"`', 1, 10),
        ("a: int = 5 apples", "`a: int = 5  # apples`", 1, 12),
        ('a: str = 5"x', '`a: str = "5\\"x"`', 1, 10),
        ("a: int = 1_000", "'1_000' is not a value", 1, 10),
        ("a: str | int = 10 apples", "`a: str | int = 10  # apples`", 1, 19),
        ("a: int | str = 5 b: int", "before the field `b`", 1, 18),
        ("a: int = 'x'", 'the default "x" does not fit int;', 1, 10),
        ("a: int 0..5 = 9", "the default 9 does not fit int 0..5;", 1, 15),
        ("a: 'x' | int = 'y'", "does not fit 'x' | int;", 1, 16),
        ("a: list = {}", "the default {} does not fit", 1, 11),
        ("a: 5..7", "a range is written behind `int` or `float`", 1, 5),
        ("a: ..0.5", "a range is written behind", 1, 4),
        ("-1..5", "a range is written behind", 1, 3),
        ("a: list[int] 1..5", "'1..5' after the type; a range is written behind", 1, 14),
        ("a: int (0..5)", "a range is written behind", 1, 8),
        ("a: int >= 0", "a range is written behind", 1, 8),
        ("a: float .5..1", "a number begins with a digit: 0.5", 1, 10),
        ("a?: str", "write `| None` behind the type", 1, 2),
        ("a: str?", "write `| None` behind the type", 1, 7),
        ('"full name: str', 'this quote is never closed; add `"`', 1, 1),
        ("a: “x”", "`“` is a curly quote; write a straight one", 1, 4),
        ("“full name”: str", "`“` is a curly quote", 1, 1),
        ("a: str = ‘x’", "`‘` is a curly quote", 1, 10),
        ("name: the owner’s name", "`name: str  # the owner’s name`", 1, 7),
        ("a: good | bad  # how", '`"good" | "bad"`', 1, 4),
        ('a: "good" | zzz', '`"zzz"`', 1, 13),
        ("a: very good | 'bad' | None", "`\"very good\" | 'bad' | None`", 1, 4),
        ("a: list[good | bad]", '`"good" | "bad"`', 1, 9),
        ("a: strng | None", "unknown type 'strng'; did you mean 'str'?", 1, 4),
        ("a: integer | string", "unknown type 'integer'; did you mean 'int'?", 1, 4),
        ("a: zzz | list[str]", "is not a type", 1, 4),
        ('a: "good", "bad"', '`a: "good" | "bad"`; for a field', 1, 12),
        ('a: str | "good", "bad", b', '`a: str | "good" | "bad"`', 1, 18),
        ('a: "x" |\n "y", "z"', '`"y" | "z"`', 2, 7),
        (
            'a: ["good", "bad"]',
            '`"good" | "bad"`; for a field of that name write `"bad": str`',
            1,
            13,
        ),
        ("full name: str", '`"full name": str`', 1, 1),
        ("first-name: str", '`"first-name": str`', 1, 1),
        ("a: {birth date: date}", '`"birth date": str`', 1, 5),
        ("name str age: int", "put a comma or a line break before the field `age`", 1, 10),
        ("1st: str", 'a name begins with a letter or is quoted: `"1st": str`', 1, 1),
        ("a: str\n2024: int", '`"2024": str`', 2, 1),
        ("* a", "expected a field such as `name: str`", 1, 1),
        ("class A(B)", "needs a `:`", 1, 11),
        ("class A(B):\n  a: str\nclass B(C):\n  b: str", "one class at a time", 3, 1),
    ],
)
def test_errors_say_where_and_what_to_write(text, message, line, column):
    with pytest.raises(SchemaSyntaxError) as caught:
        read_schema(text)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "\n" not in str(caught.value)
