"""How models write down their thoughts before they answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steer_engine.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class ReasoningStyle:
    """Thoughts stand between `opening` and `closing`; the answer follows `lead_in`.

    `instruction` is what a model has to be told that was not trained to think, and `unthought` what
    one that was writes before an answer without thoughts.
    """

    opening: str
    closing: str
    lead_in: str = "\n\n"
    instruction: str = ""
    unthought: str = ""

    def opened(self, prompt: str) -> str:
        """Return `prompt` so that thoughts are what follows."""
        if not self.opening or prompt.rstrip().endswith(self.opening):
            return prompt
        return f"{prompt}{self.opening}\n"

    def closed(self, prompt: str) -> str:
        """Return `prompt` so that the answer is what follows: some layouts begin with thoughts."""
        if self.opening and prompt.rstrip().endswith(self.opening):
            return f"{prompt.rstrip()}\n\n{self.closing}{self.lead_in}"
        return prompt if prompt.endswith(self.unthought) else f"{prompt}{self.unthought}"

    def ending(self, thoughts: str) -> str:
        """Return what has to stand between `thoughts`, finished or not, and the answer."""
        _, closing, after = thoughts.partition(self.closing)
        if not closing:
            return f"\n{self.closing}{self.lead_in}"
        return self.lead_in.removeprefix(after) if self.lead_in.startswith(after) else ""

    def endings(self) -> Iterator[str]:
        """Yield all that `ending` may return."""
        yield self.ending("")
        for start in range(len(self.lead_in) + 1):
            yield self.lead_in[start:]

    def without_closing(self, thoughts: str) -> str:
        """Return the text of the thoughts alone."""
        return thoughts.partition(self.closing)[0].strip()


PLAIN = ReasoningStyle(
    "",
    "Answer:",
    lead_in="\n",
    instruction=(
        "Before you answer, think step by step in plain text."
        " Then write a line with the word Answer: and below it the answer alone."
    ),
)
"""For models that know no tags."""

_TRAINED = (
    ReasoningStyle("<think>", "</think>"),
    ReasoningStyle("<thinking>", "</thinking>"),
    ReasoningStyle("<thought>", "</thought>"),
    ReasoningStyle("<reasoning>", "</reasoning>"),
    ReasoningStyle("<seed:think>", "</seed:think>", lead_in=""),
    ReasoningStyle("[THINK]", "[/THINK]", lead_in=""),
    ReasoningStyle("<|START_THINKING|>", "<|END_THINKING|>", lead_in=""),
    ReasoningStyle(
        "<|channel|>analysis<|message|>",
        "<|end|>",
        lead_in="<|start|>assistant<|channel|>final<|message|>",
        unthought="<|channel|>final<|message|>",
    ),
)


def reasoning_style(template: str | None, vocabulary: Vocabulary) -> ReasoningStyle:
    """Return how the model thinks: with the tags of its chat template or of its vocabulary."""
    for style in _TRAINED:
        if template is not None and style.opening in template and style.closing in template:
            return style
    spellings = frozenset(vocabulary.spellings)
    for style in _TRAINED:
        if {style.opening.encode(), style.closing.encode()} <= spellings:
            return style
    return PLAIN
