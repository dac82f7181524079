"""Notebooks: JupyterLab on this machine, and a new notebook from a template."""

import ipaddress
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ctm_analytics.errors import InvalidArgument, InvalidFile

app = typer.Typer()

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
START = NOTEBOOKS / "00_start_here.ipynb"
TEMPLATES = NOTEBOOKS / "templates"
# Without these the first screen asks to fetch news from the internet.
LAB_SETTINGS = Path(__file__).parent / "jupyterlab"
THIS_MACHINE = "127.0.0.1"
# Where a new notebook finds data, if --data does not say.
DATA_FOLDERS = ("data", "data/demo", "data/sample")


@app.command(
    epilog="Example: ctm lab --notebook notebooks/03_attribution.ipynb --allow-root",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def lab(
    context: typer.Context,
    *,
    notebook: Annotated[
        Path, typer.Option(help="The notebook to open.", metavar="NOTEBOOK", show_default="00_start_here")
    ] = START,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8888,
    ip: Annotated[
        str, typer.Option(help="Address to listen on; any other opens this machine's files to a network.")
    ] = THIS_MACHINE,
) -> None:
    """Open JupyterLab at the start notebook, on this machine only; other options go to Jupyter."""
    _refuse_addresses(context.args)
    if not notebook.is_file():
        raise InvalidFile(f"--notebook: {str(notebook)!r} is no file. Make one: ctm new my_question.")
    if not _is_this_machine(ip):
        print(f"Whoever reaches {ip}:{port} and has the token can run anything here.", file=sys.stderr)
    path = notebook.resolve()
    root = NOTEBOOKS.parent if path.is_relative_to(NOTEBOOKS.parent) else path.parent
    words = [
        *(sys.executable, "-m", "jupyter", "lab", f"--LabApp.app_settings_dir={LAB_SETTINGS}"),
        *(f"--ServerApp.ip={ip}", f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}"),
        *(f"--LabApp.default_url=/lab/tree/{path.relative_to(root).as_posix()}", *context.args),
    ]
    os.execv(sys.executable, words)


@app.command(epilog="Example: ctm new monday --template ads")
def new(
    name: Annotated[str, typer.Argument(help="A name in notebooks/, or a path that ends in .ipynb.")],
    *,
    template: Annotated[str, typer.Option(help="One of notebooks/templates: ads, latency or sql.")] = "ads",
    data: Annotated[
        Path | None,
        typer.Option(envvar="CTM_DATA", help="The data folder that it opens (default: the first with data)."),
    ] = None,
) -> None:
    """Make a notebook from a template; what is there already stays as it is."""
    from ctm_analytics.questions import known

    known("--template", template, sorted(path.stem for path in TEMPLATES.glob("*.ipynb")))
    path = Path(name) if name.endswith(".ipynb") else NOTEBOOKS / f"{name}.ipynb"
    made = _opening((TEMPLATES / f"{template}.ipynb").read_text(encoding="utf-8"), path, data or _folder())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(made)
    except FileExistsError:
        raise InvalidArgument(
            f"{path}: is there already, and nothing is overwritten. Choose another name,"
            f" or open it: ctm lab --notebook {path}"
        ) from None
    except OSError as error:
        raise InvalidArgument(
            f"{path}: cannot be written: {error.strerror}. Name a file in a folder that exists."
        ) from None
    print(path)
    print(f"Open it: ctm lab --notebook {path}", file=sys.stderr)


def _opening(template: str, path: Path, data: Path) -> str:
    """Let a template open a data folder, as seen from where the notebook lies."""
    notebook = json.loads(template)
    seen = Path(os.path.relpath(data.resolve(), path.resolve().parent)).as_posix()
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = [
                f"data = {json.dumps(seen, ensure_ascii=False)}\n" if line.startswith("data = ") else line
                for line in "".join(cell["source"]).splitlines(keepends=True)
            ]
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _folder() -> Path:
    from ctm_analytics.sources import holds_data

    folders = [NOTEBOOKS.parent / folder for folder in DATA_FOLDERS]
    return next((folder for folder in folders if holds_data(folder)), folders[0])


def _refuse_addresses(arguments: list[str]) -> None:
    for argument in arguments:
        if argument.partition("=")[0].lower().endswith((".ip", ".local_hostnames", ".sock")):
            raise InvalidArgument(f"{argument}: say where JupyterLab listens with --ip, e.g. --ip 127.0.0.1.")


def _is_this_machine(ip: str) -> bool:
    try:
        return ipaddress.ip_address("127.0.0.1" if ip == "localhost" else ip).is_loopback
    except ValueError:
        raise InvalidArgument(f"--ip: {ip!r} is not an address. Use e.g. {THIS_MACHINE}.") from None
