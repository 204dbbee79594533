"""Make .venv with what a make target needs: `python3 .ci/environment.py notebooks|test|lab`.

Only the standard library is used: this runs before anything is installed. A second run with the
same pins does nothing.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
NATIVE = "llama-cpp-python"
COMPILERS = ["c++", "g++", "clang++"]
MIN_PYTHON = (3, 11)


def main() -> None:
    """Install the groups that are named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="+", choices=["notebooks", "test", "lab"])
    parser.add_argument("--upgrade", action="store_true", help="write newest versions to the lock")
    options = parser.parse_args()
    if sys.version_info < MIN_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"steermagic needs Python 3.11 or newer, and this is {found}; PYTHON=… chooses")
    if options.upgrade:
        upgrade(options.groups)
    else:
        for group in options.groups:
            install(group)


def install(group: str) -> None:
    """Install the package with one dependency group, pinned, unless that is done already."""
    stamp = VENV / f".installed-{group}"
    pins = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == pins:
        return
    make_venv()
    build_native()
    say(f"installing steermagic and what `{group}` needs")
    pip("install", "--quiet", "--constraint", LOCK.name, "--editable", ".", "--group", group)
    stamp.write_text(pins)


def make_venv() -> None:
    """Create .venv and bring its pip to one that knows dependency groups."""
    if not PYTHON.is_file() or not installed("pip"):
        say("making the virtual environment .venv")
        venv.create(VENV, with_pip=True, clear=True)  # one that was left half made is no use
    pip("install", "--quiet", "pip>=25.1")


def build_native() -> None:
    """Compile llama-cpp-python, which comes as source, and show how far the compiler is."""
    pin = next(line for line in LOCK.read_text().splitlines() if line.startswith(f"{NATIVE}=="))
    version = pin.partition("==")[2]
    if installed(NATIVE) == version:
        return
    if not any(map(shutil.which, COMPILERS)):
        sys.exit(
            "a C++ compiler is needed to build llama.cpp: install g++ or clang, then try again"
        )
    say(f"compiling llama.cpp ({pin}); this takes about 5 minutes on 2 cores, once")
    log = VENV / "llama-cpp-build.log"
    command = [*PIP, "install", "--verbose", "--constraint", LOCK.name, NATIVE]
    flags = os.environ.get("CXXFLAGS", "")
    if breaks_amx():
        flags = f"{flags} -fno-dse"
        command.append("--no-cache-dir")  # pip may have kept one that was compiled without
    with (
        log.open("w") as file,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"CXXFLAGS": flags},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as build,
    ):
        assert build.stdout is not None
        for line in build.stdout:
            file.write(line)
            report(line)
    if build.returncode != 0:
        tail = "".join(log.read_text().splitlines(keepends=True)[-30:])
        sys.exit(f"{tail}\nllama.cpp did not compile; the whole log is {log.relative_to(ROOT)}")
    say("llama.cpp is built")


def breaks_amx() -> bool:
    """Tell whether this processor has AMX, and the compiler may break code for it.

    GCC before 12.4 and 13.3 takes settings of AMX for stores that nobody reads and leaves them out:
    llama.cpp's fastest matrix code would be killed by its first tile (GCC bug 114098).
    """
    processor = Path("/proc/cpuinfo")
    if not (processor.is_file() and "amx_int8" in processor.read_text()):
        return False
    compiler = next(filter(shutil.which, [os.environ.get("CXX", ""), *COMPILERS]))
    about = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return "Free Software Foundation" in about.stdout


def report(line: str) -> None:
    """Print the compiler's progress in tenths (`[17/193] Building CXX object …`)."""
    found = re.match(r"\s*\[(\d+)/(\d+)\]", line)
    if found is None:
        return
    done, total = map(int, found.groups())
    if done * 10 // total > (done - 1) * 10 // total:
        say(f"  {done * 100 // total} %")


def upgrade(groups: list[str]) -> None:
    """Resolve the newest versions and write them to the lock; it names no index."""
    make_venv()
    arguments = [part for group in groups for part in ("--group", group)]
    pip("install", "--quiet", "--upgrade", "--editable", ".[polars,arrow]", *arguments)
    frozen = subprocess.check_output(
        [*PIP, "freeze", "--exclude-editable", "--all"], cwd=ROOT, text=True
    )
    pairs = re.findall(r"^([\w.\-]+)==(\S+)$", frozen, re.MULTILINE)
    pins = sorted(f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}" for name, version in pairs)
    LOCK.write_text("\n".join(["# Written by `make lock`.", *pins, ""]))


def installed(name: str) -> str:
    """Return the version of a package in .venv, or nothing."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    found = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def pip(*arguments: str) -> None:
    """Run the pip of .venv in the repository's root."""
    done = subprocess.run([*PIP, *arguments], cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"pip {arguments[0]} failed; mend what it says above and run the command again")


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


PIP = [PYTHON, "-m", "pip", "--disable-pip-version-check"]

if __name__ == "__main__":
    main()
