import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "memory_plan.py"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mapped files count differently")
def test_the_plan_is_within_a_tenth_of_what_is_measured():
    command = [sys.executable, str(SCRIPT), "--contexts", "1024", "--slots", "4"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["worst_error"] < 0.1
    assert figures["library_mb"] > 0
