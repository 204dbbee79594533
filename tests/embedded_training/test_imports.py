"""The corpus can be read and scored where torch is not installed."""

import subprocess
import sys
from pathlib import Path

import embedded_training

SOURCE_ROOT = Path(embedded_training.__file__).parent.parent


def test_the_corpus_imports_no_torch():
    code = (
        "import sys, embedded_training.corpus, embedded_training.evaluation_sets,"
        " embedded_training.exactness; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SOURCE_ROOT)
