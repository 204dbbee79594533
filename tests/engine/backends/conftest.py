"""What the tests of several backends need."""

import pytest

from steer_engine.backends.gguf_folder import write_folder
from steer_engine.models import embedded_path


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """The embedded model as a folder of the Hugging Face hub."""
    pytest.importorskip("gguf")
    folder = tmp_path_factory.mktemp("embedded")
    write_folder(embedded_path(), folder)
    return folder
