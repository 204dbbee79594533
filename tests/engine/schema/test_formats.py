"""Formats against the official suite, and what it does not ask."""

import json

import pytest

from steer_engine.schema.formats import FORMATS, check_format

# A host name of RFC 1123, as drafts 4 and 6 have it; the later ones want RFC 5890.
_OTHERWISE = {"hostname with consecutive hyphens (RFC1123)"}


@pytest.mark.parametrize("name", sorted(name for name in FORMATS if ":" not in name))
def test_the_official_suite_agrees(name, shared):
    paths = sorted((shared / "json-schema-test-suite/tests").glob(f"*/optional/format/{name}.json"))
    assert paths
    groups = [group for path in paths for group in json.loads(path.read_text())]
    wrong = [
        case["description"]
        for group in groups
        for case in group["tests"]
        if isinstance(case["data"], str) and check_format(name, case["data"]) != case["valid"]
    ]
    assert set(wrong) <= _OTHERWISE


def test_every_format_of_the_official_suite_is_known(shared):
    folder = shared / "json-schema-test-suite/tests/draft2020-12/optional/format"
    names = {path.stem for path in folder.glob("*.json")} - {"ecmascript-regex", "unknown"}
    assert names
    assert names <= FORMATS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "a." * 100_000),
        ("idn-hostname", "é" * 100_000),
        ("iri-reference", "a" * 100_000 + "\n"),
        ("json-pointer", "/~1" * 100_000 + "~"),
        ("regex", "(" * 100_000),
        ("uri", "a:" + "/a" * 100_000 + " "),
        ("uri-reference", "//" + "a@" * 100_000),
        ("uri-template", "{" + "a." * 100_000),
        ("hostname", "xn--" + "9" * 50_000),
    ],
)
def test_long_texts_do_not_hang(name, text):
    assert not check_format(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("date", "2023-02-29"),
        ("date", "0000-02-30"),
        ("date", "20230101"),
        ("date-time", "2023-01-01 00:00:00Z"),
        ("time", "24:00:00Z"),
        ("time", "00:00:60Z"),
        ("time", "00:00:00+24:00"),
        ("email", "@b.c"),
        ("email", "a@b_c"),
        ("email", "a@[1.2.3]"),
        ("email", "a" * 65 + "@b.c"),
        ("idn-email", "é" * 33 + "@b.c"),
        ("uri", "http://[::1/"),
        ("uri", "http://a:b/"),
        ("uri", "http://a@b@c/"),
        ("uri", "x:[a]"),
        ("uri", "a#b#c"),
        ("duration", "P"),
        ("duration", "PT"),
        ("ipv4", "1.2.3.٤"),
        ("ipv6", "::1%eth0"),
        ("hostname", ""),
        ("hostname", "ab--c"),
        ("hostname", "xn--\ud800"),
        ("idn-hostname", "0a.\u05d0"),
        ("idn-hostname", "\ud800"),
        ("idn-email", "é@"),
        ("regex", "\\Z"),
        ("regex", "(?P<a>b)"),
        ("uri", "http://[v1.x"),
        ("uri-reference", "a:b:[c]"),
        ("uri-reference", "1:b"),
        ("relative-json-pointer", "01"),
    ],
)
def test_wrong_texts(name, text):
    assert not check_format(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("date", "0000-02-29"),
        ("time", "23:59:60Z"),
        ("email", "a@[IPv6:::1]"),
        ("email", "a@[1.2.3.4]"),
        ("email", "a" * 64 + "@b.c"),
        ("idn-email", "é" * 32 + "@b.c"),
        ("uri", "urn:a:b"),
        ("uri", "http://[v1.x]/"),
        ("uri-reference", ""),
        ("uri-reference", "a/b:c"),
        ("iri", "http://é/ü?\ue000"),
        ("idn-hostname", "faß。de"),
        ("idn-email", "é@faß.de"),
        ("uri-template", "/{+a:3,b*}{?c}"),
        ("regex", r"\p{L}(?<a>x)\k<a>"),
    ],
)
def test_right_texts(name, text):
    assert check_format(name, text)
