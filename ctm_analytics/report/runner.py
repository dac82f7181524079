"""Runs a report notebook for a period and puts what it made where the inputs say, all of it or nothing."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from ctm_analytics import errors
from ctm_analytics.errors import CtmError, InvalidArgument, NoData
from ctm_analytics.formats import period
from ctm_analytics.report.index import write_index
from ctm_analytics.report.lock import only_run
from ctm_analytics.report.notebook import check_parameters, read_parameters, refuse_unknown
from ctm_analytics.report.placing import point_to, put_in_place

# What the runner itself tells every report notebook; and what it tells those that can hear it.
GIVEN = ("data", "since", "until", "as_of", "out")
NOTICES = "notices"
KERNEL = "python3"
INJECTED = "injected-parameters"  # papermill's cell, which gets a random id
ERROR_MARKER = "papermill-error-cell-tag"
SUMMARY = "summary.json"
RECORD = "run.json"
# How a report was made, and its print: both carry what changes from run to run.
UNHASHED = ("executed.ipynb", "report.pdf")


class ReportFailed(CtmError):
    """A report could not be made.

    Parameters
    ----------
    message : str, for whoever stands at this machine: it may quote a cell and what it said
    shared : str, what may be sent to others: no value that a cell met, which could name a person
    """

    def __init__(self, message: str, shared: str = "") -> None:
        super().__init__(message)
        self.shared = shared or message


@dataclass(frozen=True)
class Order:
    """The report that is wanted.

    Attributes
    ----------
    notebook : Path, with one cell tagged ``parameters`` that names at least ``GIVEN``
    data : Path, the data folder
    since, until : date, both included
    as_of : aware datetime
    out : Path, the folder of all reports
    parameters : mapping of a name in the notebook's ``parameters`` cell to text
    notices : tuple of str, warnings that the report shows above its numbers; the notebook must then have ``notices``
    inputs : str, a digest of all that the report is made from; kept in ``run.json``
    engine : str, name and release of what answered; kept in ``run.json``
    """

    notebook: Path
    data: Path
    since: date
    until: date
    as_of: datetime
    out: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    inputs: str = ""
    engine: str = ""

    @property
    def name(self) -> str:
        """What the report is called."""
        return self.notebook.stem

    @property
    def folder(self) -> Path:
        """Where the report goes: a function of what is asked, so that the same question lies in the same place."""
        return self.out / self.name / f"{self.since}_{self.until}"


class ReportRun(NamedTuple):
    """Where a report lies, and whether this run has made it."""

    folder: Path
    is_new: bool

    @property
    def page(self) -> Path:
        """The report itself."""
        return self.folder / "index.html"

    @property
    def tables(self) -> tuple[Path, ...]:
        """The rows of its sections, as CSV."""
        return tuple(sorted((self.folder / "tables").glob("*.csv")))

    @property
    def summary(self) -> dict[str, Any]:
        """What the report says, in short."""
        return dict(_record(self.folder).get("summary", {}))


def run_report(order: Order, *, only_if_changed: bool = False) -> ReportRun:
    """Execute a report notebook; its folder appears when all of it is there.

    Parameters
    ----------
    order : Order
    only_if_changed : bool, leave the last report where its inputs are the same, or where the new one says the same

    Returns
    -------
    ReportRun
        ``index.html``, ``executed.ipynb``, ``tables/*.csv`` and ``run.json`` in its folder. ``latest`` beside it names
        the report of the last days, and ``index.html`` above lists all.

    Raises
    ------
    InvalidArgument
        If the notebook has no such parameter.
    InvalidFile
        If there is no notebook, or it cannot be read.
    AlreadyRunning
        If another run makes the same report.
    NoData
        If a cell found nothing to report on.
    ReportFailed
        If a cell failed: naming the notebook, the cell, its last line and where the executed notebook lies; or if the
        disk is full. The last good report stays as it was.
    """
    values = _values(order)
    folder = order.folder
    try:
        with only_run(folder.parent / ".lock", period(order.since, order.until)):
            may_stay = only_if_changed and _is_whole(folder)
            if may_stay and order.inputs and _record(folder)["inputs"] == order.inputs:
                return ReportRun(folder, is_new=False)
            made = _make(order, values)
            if may_stay and _numbers(made) == _numbers(folder):
                shutil.rmtree(made)
                return ReportRun(folder, is_new=False)
            put_in_place(made, folder)
            _failed(folder).unlink(missing_ok=True)
            point_to(folder.with_name("latest"), _latest(folder.parent))
    except OSError as error:
        raise ReportFailed(
            f"{folder}: could not be written: {error.strerror or error}. The last good report is as it was."
            " Free some space, or mend what it says, and run it again."
        ) from None
    try:
        write_index(order.out)
    except OSError as error:
        raise ReportFailed(
            f"{folder}: written, but {order.out / 'index.html'} could not be: {error.strerror or error}."
            " Free some space, and run it again."
        ) from None
    return ReportRun(folder, is_new=True)


def _values(order: Order) -> dict[str, Any]:
    known = read_parameters(order.notebook)
    for name in GIVEN:
        refuse_unknown(order.notebook, known, name)
    for name in (*GIVEN, NOTICES):
        if name in order.parameters:
            raise InvalidArgument(
                f"-p {name}: the command line has other words for it. See `ctm report --help`."
            )
    chosen = check_parameters(order.notebook, known, order.parameters)
    if order.notices and NOTICES not in known:
        raise InvalidArgument(
            f"{order.notebook}: it cannot show alerts. Write `notices = []` into its parameters cell, and"
            " `for notice in notices: report.notice(notice)` before it saves."
        )
    if order.notices:
        chosen |= {NOTICES: list(order.notices)}
    days = {"since": str(order.since), "until": str(order.until), "as_of": order.as_of.isoformat()}
    return {"data": str(order.data.resolve()), **days, "out": "", **chosen}


def _make(order: Order, values: dict[str, Any]) -> Path:
    """Execute the notebook into a folder of its own, beside the place of the report."""
    made = order.folder.with_name(f"{order.folder.name}.tmp")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    executed = made / "executed.ipynb"
    try:
        _execute(order, executed, {**values, "out": str(made.resolve())})
        _forget_places(executed, (str(made.resolve()), str(order.data.resolve())))
        if not (made / "index.html").is_file():
            raise ReportFailed(
                f"{order.notebook}: it wrote no index.html into `out`. Call report.save(f'{{out}}/index.html')."
            )
        shown = {name: value for name, value in values.items() if value != ""}
        _write_record(made, order, {**shown, "data": order.data.resolve().name})
    except BaseException:  # an interruption, too: no half report stays, and it goes on to the caller
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made


def _execute(order: Order, executed: Path, values: dict[str, Any]) -> None:
    from jupyter_client.kernelspec import NoSuchKernel
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    encrypted = Config({"KernelManager": {"transport_encryption": "auto"}})
    try:
        with _quiet():
            execute_notebook(
                str(order.notebook),
                str(executed),
                parameters=values,
                kernel_name=KERNEL,
                language="python",
                progress_bar=False,
                cwd=str(order.notebook.resolve().parent),
                config=encrypted,
            )
    except PapermillExecutionError as error:
        raise _failure(order, executed, error) from None
    except NoSuchKernel:
        raise ReportFailed(
            "There is no Jupyter kernel 'python3': install ipykernel into this environment."
        ) from None
    except RuntimeError as error:  # what the kernel's client says of a kernel that died or does not answer
        raise ReportFailed(
            f"{order.notebook}: its kernel ended ({error}). Look whether memory ran out, and run it again."
        ) from None


def _forget_places(executed: Path, places: tuple[str, ...]) -> None:
    """Keep the machine's folders, papermill's clock and its dice out of what is passed on."""
    content = json.loads(executed.read_text(encoding="utf-8"))
    for part in (content, *content["cells"]):
        for clock in ("papermill", "execution"):
            part["metadata"].pop(clock, None)
        if INJECTED in part["metadata"].get("tags", ()):
            part["id"] = INJECTED
    text = json.dumps(content, indent=1, ensure_ascii=False)
    for place in places:
        text = text.replace(json.dumps(place)[1:-1], Path(place).name)
    executed.write_text(text + "\n", encoding="utf-8")


def _failed(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.failed.ipynb")


def _failure(order: Order, executed: Path, error: Any) -> CtmError:
    """Say what failed; the package's own errors keep their kind, and with it their exit code."""
    if error.ename == NoData.__name__:
        return NoData(error.evalue)
    kept = _failed(order.folder)
    executed.replace(kept)
    last = next((line for line in reversed(error.source.splitlines()) if line.strip()), "")
    number = _cell_number(kept, error.cell_index)
    where = f"{order.notebook}: cell {number} failed at `{last.strip()}`"
    shared = (
        f"Cell {number} of {order.notebook.name} failed with {error.ename}."
        f" Its words are in {kept.name}, on the machine that ran it: look there, and run the report again."
    )
    kind = getattr(errors, error.ename, None)
    if isinstance(kind, type) and issubclass(kind, CtmError):
        failed: CtmError = kind(f"{where}: {error.evalue.rstrip('.')}. See {kept}.")
        failed.shared = shared
        return failed
    return ReportFailed(f"{where}: {error.ename}: {error.evalue.rstrip('.')}. See {kept}.", shared)


def _cell_number(executed: Path, index: int) -> int:
    """Count as the order's notebook counts: without the cells that papermill has put before the failed one."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    # Of a failed notebook a message on top and a link above the cell are papermill's, too.
    before = cells[: index + 2]
    return 1 + sum(not {INJECTED, ERROR_MARKER} & set(cell["metadata"].get("tags", ())) for cell in before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what papermill and its kernel client warn of in their own code."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _write_record(folder: Path, order: Order, values: dict[str, Any]) -> None:
    """Write what the report was made from; no clock, so that the same inputs give the same bytes."""
    packages = ("ctm-analytics", "duckdb", "pandas", "plotly", "papermill")
    summary = folder / SUMMARY
    record = {
        "notebook": order.notebook.name,
        "notebook_sha256": _sha256(order.notebook),
        "parameters": values,
        "inputs": order.inputs,
        "engine": order.engine,
        "versions": {name: metadata.version(name) for name in packages},
        "summary": json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else {},
    }
    summary.unlink(missing_ok=True)
    (folder / RECORD).write_text(_written(record | {"files": _hashes(folder)}), encoding="utf-8")


def _written(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _record(folder: Path) -> dict[str, Any]:
    """Read ``run.json``; nothing where there is none, or somebody has spoilt it."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _hashes(folder: Path) -> dict[str, str]:
    """Hash what a report shows."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in files
        if path.name not in (*UNHASHED, RECORD)
    }


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder holds a report as it was made."""
    record = _record(folder)
    return "inputs" in record and record.get("files") == _hashes(folder)


def _numbers(folder: Path) -> Any:
    """Tell what a report says: its sentences and tiles, and the rows beneath."""
    record = _record(folder)
    tables = {name: hashed for name, hashed in record["files"].items() if name.startswith("tables/")}
    summary = {name: value for name, value in record["summary"].items() if name != "as_of"}
    return record["notebook_sha256"], summary, tables


def _latest(folder: Path) -> Path:
    """Find the report of the last days among those of one name."""
    reports = [path.parent for path in folder.glob(f"*/{RECORD}")]
    # A run that was killed may have left its `.tmp`, which the next one removes.
    reports = [path for path in reports if not path.is_symlink() and not path.suffix]
    return max(reports, key=lambda path: path.name.split("_")[::-1])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
