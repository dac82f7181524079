"""Runs a report notebook for a period and puts what it made where the inputs say, all of it or nothing."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from ctm_analytics import errors
from ctm_analytics.errors import CtmError, InvalidArgument, InvalidFile, NoData
from ctm_analytics.settings import did_you_mean

# What the runner itself tells every report notebook.
GIVEN = ("data", "since", "until", "as_of", "out")
KERNEL = "python3"


class ReportFailed(CtmError):
    """A cell of a report's notebook failed."""


class ReportRun(NamedTuple):
    """Where a report lies."""

    folder: Path
    page: Path
    executed: Path
    tables: tuple[Path, ...]


def run_report(
    notebook: Path,
    *,
    data: Path,
    since: date,
    until: date,
    as_of: datetime,
    parameters: Mapping[str, object],
    out: Path,
) -> ReportRun:
    """Execute a report notebook; its folder appears when all of it is there.

    Parameters
    ----------
    notebook : Path, with one cell tagged ``parameters`` that names at least ``GIVEN``
    data : Path, the data folder
    since, until : date, both included
    as_of : aware datetime
    parameters : mapping of a name in the notebook's ``parameters`` cell to its value
    out : Path, the folder of all reports; this one goes to ``<name>/<since>_<until>/`` in it

    Returns
    -------
    ReportRun
        ``index.html``, ``executed.ipynb``, ``tables/*.csv`` and ``run.json`` in its folder.

    Raises
    ------
    InvalidArgument
        If the notebook has no such parameter.
    InvalidFile
        If there is no notebook, or it cannot be read.
    NoData
        If a cell found nothing to report on.
    ReportFailed
        If a cell failed: naming the notebook, the cell, its last line and where the executed notebook lies. The last
        good report stays as it was.
    """
    given = dict(zip(GIVEN, (data.resolve(), since, until, as_of.isoformat(), ""), strict=True))
    _check_parameters(notebook, [*given, *parameters])
    folder = out / notebook.stem / f"{since}_{until}"
    made = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    values = (
        {name: str(value) for name, value in given.items()} | {"out": str(made.resolve())} | dict(parameters)
    )
    _execute(notebook, made / "executed.ipynb", values)
    _forget_places(made / "executed.ipynb", (str(made.resolve()), str(data.resolve())))
    if not (made / "index.html").is_file():
        raise ReportFailed(
            f"{notebook}: it wrote no index.html into `out`. Call report.save(f'{{out}}/index.html')."
        )
    _write_run(made, notebook, {**values, "out": "", "data": data.resolve().name})
    _replace(folder, made)
    return ReportRun(
        folder,
        folder / "index.html",
        folder / "executed.ipynb",
        tuple(sorted((folder / "tables").glob("*.csv"))),
    )


def _check_parameters(notebook: Path, names: list[str]) -> None:
    """Papermill takes any name and runs on with the defaults: a typing error would go unseen."""
    if not notebook.is_file():
        raise InvalidFile(
            f"{notebook}: there is no such notebook. Name one of notebooks/reports, or its path."
        )
    from nbformat.reader import NotJSONError
    from papermill import inspect_notebook

    try:
        with _quiet():
            known = list(inspect_notebook(str(notebook)))
    except (NotJSONError, ValueError, AttributeError, KeyError) as error:
        raise InvalidFile(
            f"{notebook}: not a notebook that can be run ({error}). It needs a kernelspec and a cell tagged parameters."
        ) from None
    for name in names:
        if name not in known:
            listed = ", ".join(known) or "no parameters"
            raise InvalidArgument(
                f"{notebook}: it has no parameter {name!r}.{did_you_mean(name, known)} It has: {listed}."
            )


def _execute(notebook: Path, executed: Path, values: dict[str, Any]) -> None:
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    encrypted = Config({"KernelManager": {"transport_encryption": "auto"}})

    try:
        with _quiet():
            execute_notebook(
                str(notebook),
                str(executed),
                parameters=values,
                kernel_name=KERNEL,
                progress_bar=False,
                cwd=str(notebook.resolve().parent),
                config=encrypted,
            )
    except PapermillExecutionError as error:
        raise _failure(notebook, executed, error) from None


def _forget_places(executed: Path, places: tuple[str, ...]) -> None:
    """Keep the machine's folders and papermill's clock out of what is passed on."""
    content = json.loads(executed.read_text(encoding="utf-8"))
    for part in (content, *content["cells"]):
        part["metadata"].pop("papermill", None)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    for place in places:
        text = text.replace(json.dumps(place)[1:-1], Path(place).name)
    executed.write_text(text + "\n", encoding="utf-8")


def _failure(notebook: Path, executed: Path, error: Any) -> CtmError:
    """Say what failed; the package's own errors keep their kind, and with it their exit code."""
    kept = executed.with_name(f"{executed.parent.name.removesuffix('.tmp')}.failed.ipynb")
    kept = kept.parent.parent / kept.name
    executed.replace(kept)
    shutil.rmtree(executed.parent)
    if error.ename == NoData.__name__:
        return NoData(error.evalue)
    last = next((line for line in reversed(error.source.splitlines()) if line.strip()), "")
    kind = getattr(errors, error.ename, ReportFailed)
    kind = kind if isinstance(kind, type) and issubclass(kind, CtmError) else ReportFailed
    what = error.evalue if kind is not ReportFailed else f"{error.ename}: {error.evalue}"
    return kind(
        f"{notebook}: cell {error.cell_index + 1} failed at `{last.strip()}`: {what.rstrip('.')}. See {kept}."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what papermill and its kernel client warn of in their own code."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _write_run(folder: Path, notebook: Path, values: dict[str, Any]) -> None:
    """Write what the report was made from; no clock, so that the same inputs give the same bytes."""
    packages = ("ctm-analytics", "duckdb", "pandas", "plotly", "papermill")
    reported = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "executed.ipynb"
    ]
    run = {
        "notebook": notebook.name,
        "notebook_sha256": _sha256(notebook),
        "parameters": {name: str(value) for name, value in values.items() if value != ""},
        "files": {path.relative_to(folder).as_posix(): _sha256(path) for path in reported},
        "versions": {name: metadata.version(name) for name in packages},
    }
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _replace(folder: Path, made: Path) -> None:
    """Put the new folder in the old one's place; a folder that is not empty can only be renamed away."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    made.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
