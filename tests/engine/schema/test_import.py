"""The package is cheap to import."""

import subprocess
import sys


def test_importing_the_package_loads_nothing_heavy():
    # The parent package is stubbed: only what `schema` itself imports is looked at.
    code = (
        "import sys, types, steer_engine.errors as e\n"
        "heavy = {'pydantic', 'jsonschema', 'referencing', 'llguidance', 'pandas', 'IPython'}\n"
        "import steer_engine.schema\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
