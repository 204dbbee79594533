import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "isolation.py"


def test_both_ways_answer_all_rows():
    command = [sys.executable, str(SCRIPT), "--rows", "2", "--rounds", "1"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures) == {"wall", "own", "ms_a_row"}
    assert figures["wall"] > 0
