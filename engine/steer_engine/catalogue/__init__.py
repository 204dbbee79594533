"""What models there are, by which names, and what their files say: nothing here loads a model.

Read in this order: `sources` -> `choice` -> `places` -> `stores` -> `names` for where a model is;
`tensor_types` -> `gguf` -> `facts` -> `gguf_facts` and `safetensors` -> `folders` for what its
files say; `hub` -> `transfer` -> `remote_facts` for models that are not here yet.
"""

from steer_engine.catalogue.facts import ModelFacts, ModelShape
from steer_engine.catalogue.folders import read_folder_facts
from steer_engine.catalogue.gguf_facts import read_gguf_facts
from steer_engine.catalogue.hub import Download, Hub, find_hub, plan_download
from steer_engine.catalogue.names import find_at, is_url, resolve, suggestion
from steer_engine.catalogue.places import Places, find_places
from steer_engine.catalogue.remote_facts import read_remote_facts
from steer_engine.catalogue.sources import (
    FolderModel,
    GgufModel,
    HubModel,
    LocalModel,
    ServerModel,
    Source,
)
from steer_engine.catalogue.stores import SAFETENSORS, Entry, find_entries
from steer_engine.catalogue.transfer import Progress, Watch, fetch

__all__ = [
    "SAFETENSORS",
    "Download",
    "Entry",
    "FolderModel",
    "GgufModel",
    "Hub",
    "HubModel",
    "LocalModel",
    "ModelFacts",
    "ModelShape",
    "Places",
    "Progress",
    "ServerModel",
    "Source",
    "Watch",
    "fetch",
    "find_at",
    "find_entries",
    "find_hub",
    "find_places",
    "is_url",
    "plan_download",
    "read_facts",
    "read_remote_facts",
    "resolve",
    "suggestion",
]


def read_facts(source: LocalModel) -> ModelFacts:
    """Return what the files of a model on this machine say; no weights are read.

    Raises:
        ModelError: one of them is missing, damaged or not whole.
    """
    if isinstance(source, FolderModel):
        return read_folder_facts(source.path)
    return read_gguf_facts(source.parts)
