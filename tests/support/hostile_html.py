"""Texts that would act on a page if they were not escaped, and how to see whether one did."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = [
    "<script>boom()</script>",
    '"><img src=x onerror=boom()>',
    "javascript:boom()",
    "\x1b[31mred",
    "\u202egnp",
    "</td></table></div>",
    "&lt;b&gt;",
    "x" * 1_000_000,
]


def markup(page: str) -> tuple[set[str], set[str]]:
    """The tags and attributes of a page, as a browser would read it."""
    tags, attributes = set(), set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)
            attributes.update(name for name, _ in attrs)

    Reader().feed(page)
    return tags, attributes
