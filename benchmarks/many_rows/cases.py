"""What is asked: twenty invented posts, three schemas, and the answer to each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

JsonObject = Mapping[str, object]

_TOPIC = {"enum": ["praise", "complaint", "question"]}
_FIELDS: dict[str, JsonObject] = {
    "summary": {"type": "string"},
    "author": {"type": "string"},
    "link": {"type": "string"},
    "posted": {"type": "string", "format": "date"},
    "product": {"type": "string"},
    "city": {"type": "string"},
    "topic": _TOPIC,
    "mood": {"enum": ["happy", "calm", "angry"]},
    "rating": {"type": "integer"},
    "urgent": {"type": "boolean"},
    "verified": {"type": "boolean"},
}
_WIDE = "summary author link posted product city topic rating verified"
FIELDS_OF = {
    "small": ("summary", "author", "link"),
    "wide": tuple(_WIDE.split()),
    "label": ("topic", "mood", "rating", "urgent"),
}
"""The fields of each schema, by its name."""

SHORT_SCHEMA = {
    "type": "object",
    "properties": {"urgent": {"type": "boolean"}},
    "required": ["urgent"],
    "additionalProperties": False,
}
"""One decision: what a row costs besides the model shows best where the model has little to do."""

INSTRUCTION = """\
You read posts that customers have written in a public forum and fill in a form for each of them. \
Take names, links and dates as they stand in the post. A summary is one short sentence in your own \
words. Write products and cities without any addition. A rating is the number of stars. A post is \
urgent if its author asks for help at once, and verified if its author bought the product in our \
shop. Do not explain your answer."""


@dataclass(frozen=True, slots=True)
class Post:
    """A text and everything that a schema may ask of it."""

    text: str
    facts: JsonObject

    def answer(self, schema: str) -> str:
        """Return what a perfect model would write, as JSON with `", "` and `": "`."""
        return json.dumps({name: self.facts[name] for name in FIELDS_OF[schema]})


def schema_of(name: str) -> dict[str, object]:
    """Return the JSON Schema of that name."""
    fields = FIELDS_OF[name]
    return {
        "type": "object",
        "properties": {field: _FIELDS[field] for field in fields},
        "required": list(fields),
        "additionalProperties": False,
    }


def read_posts(n_posts: int) -> list[Post]:
    """Return posts; those beyond the twentieth say the same again with a number, so no two do."""
    lines = (Path(__file__).parent / "posts.jsonl").read_text().splitlines()
    posts = [Post(fact.pop("text"), fact) for fact in map(json.loads, lines)]
    return [
        posts[i] if i < len(posts) else _numbered(posts[i % len(posts)], i) for i in range(n_posts)
    ]


def _numbered(post: Post, number: int) -> Post:
    return Post(f"{post.text} (No. {number})", post.facts)
