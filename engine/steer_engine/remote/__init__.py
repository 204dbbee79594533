"""Answers from servers: OpenAI's, and those that speak as it does.

Read in this order: `address` and `credentials` -> `client` (over `troubles` and `payloads`) ->
`questions` and `replies` -> `wires` -> `ways` -> `strict` -> `offers` -> `profiles` -> `discovery`
-> `probing` -> `server` -> `judging` -> `rows` -> `portal` -> `engine`; `previews` is looked up.
"""

from steer_engine.remote.address import is_address
from steer_engine.remote.engine import RemoteEngine
from steer_engine.remote.judging import text_error
from steer_engine.remote.server import Patience

__all__ = ["Patience", "RemoteEngine", "is_address", "text_error"]
