"""What the model would read, as far as its server tells."""

from __future__ import annotations

from collections.abc import Sequence

from steer_engine.prompting import Message
from steer_engine.remote import profiles
from steer_engine.remote.address import Address
from steer_engine.remote.client import Client
from steer_engine.remote.discovery import Served
from steer_engine.remote.payloads import list_at, text_at, whole_at
from steer_engine.remote.troubles import Trouble
from steer_engine.schema import JsonValue


async def rendered(
    client: Client, address: Address, served: Served, messages: Sequence[Message]
) -> tuple[str, int | None]:
    """Return the text of a conversation, and its length in tokens or None.

    A server that does not tell how it lays out a conversation gets it as a list of messages.
    """
    written: list[JsonValue] = [{"role": m.role, "content": m.content} for m in messages]
    plain = "\n\n".join(f"{message.role}: {message.content}" for message in messages)
    try:
        if served.profile.name == profiles.LLAMA_SERVER.name:
            laid_out = await client.post(f"{address.root}/apply-template", {"messages": written})
            text = text_at(laid_out, "prompt")
            tokens = await client.post(
                f"{address.root}/tokenize",
                {"content": text, "add_special": True, "parse_special": True},
            )
            return text, len(list_at(tokens, "tokens"))
        if served.profile.name == profiles.VLLM.name:
            counted = await client.post(
                f"{address.root}/tokenize", {"model": served.model, "messages": written}
            )
            return plain, whole_at(counted, "count") or None
    except Trouble:
        pass  # an older version that does not tell, either
    return plain, None
