"""Execute notebooks and print what their cells show: `python notebooks/show.py [--write] FILE…`.

With --write the outputs are stored in the files, which is how the committed ones are made.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def main() -> None:
    """Run the notebooks that are named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="store the outputs in the files")
    options = parser.parse_args()
    for file in options.files:
        notebook = execute(file)
        if options.write:
            nbformat.write(notebook, file)
        for text in shown(notebook):
            print(text, end="\n\n")


def execute(file: Path) -> nbformat.NotebookNode:
    """Return the notebook with the outputs of a fresh kernel, without what varies between runs."""
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        # ipykernel warns of unencrypted loopback traffic, which is not this script to decide.
        extra_arguments=["--Application.log_level=ERROR"],
        resources={"metadata": {"path": str(file.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{file} failed:\n{error}")
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def shown(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield the headings of the notebook, its code, and the outputs of each cell as text."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from (line for line in cell.source.splitlines() if line.startswith("#"))
        elif cell.cell_type == "code":
            yield "\n".join(f"  │ {line}" for line in cell.source.splitlines())
            yield from (text for output in cell.outputs if (text := as_text(output)))


def as_text(output: nbformat.NotebookNode) -> str:
    """Return the plain text of one output."""
    if output.output_type == "stream":
        return str(output.text).rstrip()
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return str(output.data.get("text/plain", "")).rstrip()


if __name__ == "__main__":
    main()
