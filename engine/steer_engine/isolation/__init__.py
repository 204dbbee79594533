"""The engine in a process of its own, so that a native crash takes no notebook with it.

`engine` is the side of whoever uses it, `child` the side of the model; `process` starts one from
the other, and `messages` are what they tell each other over two pipes that nobody else has.
"""

from steer_engine.isolation.engine import IsolatedEngine, open_isolated

__all__ = ["IsolatedEngine", "open_isolated"]
