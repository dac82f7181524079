"""What is heavy is imported by who needs it, never by who only asks for help."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "duckdb",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "scipy",
    "starlette",
    "papermill",
    "nbformat",
    "jinja2",
}
ASK = "import json, sys\n{}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
HELP = """
from ctm_analytics.__main__ import main
sys.argv = {}
try:
    main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize(
    "start",
    [
        "import ctm_analytics",
        *(HELP.format(["ctm", *words, "--help"]) for words in ([], ["ads"], ["report"])),
    ],
    ids=["import", "help", "help of ads", "help of report"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(start: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ASK.format(start)], capture_output=True, text=True, check=True
    )
    assert start.startswith("import") or run.stdout.lstrip().startswith("Usage: ctm")
    assert not HEAVY & set(json.loads(run.stderr.splitlines()[-1]))
