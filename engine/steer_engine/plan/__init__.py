"""How much memory a model takes, before it is loaded, and whether there is that much.

Read in this order: `sizes` -> `groups` -> `memory` -> `fitting`. `threads` counts cores.
"""

from steer_engine.plan.fitting import ALL_LAYERS, Plan, gigabytes, make_plan
from steer_engine.plan.memory import Device, Machine, free_memory
from steer_engine.plan.sizes import BATCH, OUTPUTS, PROCESS, Need, Room
from steer_engine.plan.threads import default_threads

__all__ = [
    "ALL_LAYERS",
    "BATCH",
    "OUTPUTS",
    "PROCESS",
    "Device",
    "Machine",
    "Need",
    "Plan",
    "Room",
    "default_threads",
    "free_memory",
    "gigabytes",
    "make_plan",
]
