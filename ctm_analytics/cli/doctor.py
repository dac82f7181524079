"""What could keep capture or analysis from working here, each with its next step."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from ctm_analytics.errors import CtmError
from ctm_analytics.results import Result

LEAST_FREE_BYTES = 1 << 30

Finding = tuple[str, str, str | None]


def examine(data: Path, environ: Mapping[str, str]) -> Result:
    """Look at Python, the data folder, its settings, its data, the disk and the receiver's secrets.

    Returns
    -------
    Result
        ``check``, ``status`` (``ok``, ``warn``, ``fail``), ``detail``, ``next_step``.
    """
    checks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "data_folder": lambda: _data_folder(data),
        "disk": lambda: _disk(data),
        "settings": lambda: _settings(data, environ),
        "data": lambda: _data(data, environ),
        "derived": lambda: _derived(data / "derived"),
        "receiver": lambda: _receiver(data, environ),
        "deletion_requests": lambda: _deletion_requests(data),
        "browser": _browser,
    }
    rows = [
        dict(zip(("check", "status", "detail", "next_step"), (name, *look()), strict=True))
        for name, look in checks.items()
    ]
    schema = pa.schema([(name, pa.string()) for name in ("check", "status", "detail", "next_step")])
    return Result(pa.Table.from_pylist(rows, schema=schema), sql="", about=f"{data.resolve()}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return "ok", f"Python {version}", None


def _data_folder(data: Path) -> Finding:
    if not data.is_dir():
        return "fail", f"{data} does not exist", f"mkdir {data}, or name another folder with --data"
    if not os.access(data, os.W_OK):
        return "fail", f"{data} cannot be written to", "Give this user the right to write there"
    return "ok", f"{data} is there and can be written to", None


def _disk(data: Path) -> Finding:
    folder = next(place for place in (data, *data.resolve().parents) if place.is_dir())
    free = shutil.disk_usage(folder).free
    words = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return "warn", words, "Make room: the receiver refuses deliveries when the disk is full"
    return "ok", words, None


def _settings(data: Path, environ: Mapping[str, str]) -> Finding:
    from ctm_analytics.settings import load_settings

    try:
        settings = load_settings(data, environ)
    except CtmError as error:
        return "fail", str(error), "Mend ctm.toml or the environment"
    return (
        "ok",
        f"days in {settings.reporting_timezone}, {settings.reporting_currency or 'currency of the data'}",
        "Set reporting_timezone in ctm.toml to the ad account's"
        if settings.reporting_timezone == "UTC"
        else None,
    )


def _data(data: Path, environ: Mapping[str, str]) -> Finding:
    from ctm_analytics.workbench import open_workbench

    try:
        workbench = open_workbench(data, environ=environ)
    except CtmError as error:
        return "warn", str(error), None
    events = workbench.sql("select count(*) as events from events").table.column("events")[0].as_py()
    if not events:
        return (
            "warn",
            "not one event has been captured",
            "Start `ctm receive`, and subscribe the Page to the webhook in Meta's dashboard: docs/operations.md",
        )
    return "ok", f"{events:,} events can be read", None


def _derived(folder: Path) -> Finding:
    if not folder.exists():
        return "ok", "nothing is kept of earlier answers", None
    if not os.access(folder, os.W_OK | os.X_OK) or not folder.is_dir():
        return "warn", f"{folder} cannot be written to, so every answer begins anew", f"Delete {folder}"
    sizes = [path.stat().st_size for path in folder.iterdir()]
    return "ok", f"{len(sizes)} files of earlier answers, {sum(sizes) / 1e6:,.1f} MB; may be deleted", None


def _receiver(data: Path, environ: Mapping[str, str]) -> Finding:
    from receiver.errors import ReceiverError
    from receiver.settings import load_settings

    try:
        load_settings(data, environ)
    except ReceiverError as error:
        return "warn", str(error), "Needed only where the receiver runs"
    return "ok", "secrets and verify token are set", None


def _deletion_requests(data: Path) -> Finding:
    from receiver.errors import ReceiverError
    from receiver.store.deletion_requests import open_requests
    from receiver.store.folder import DataFolder

    try:
        requests = open_requests(DataFolder(data))
    except ReceiverError as error:
        return "fail", str(error), None
    if requests:
        since = f"{requests[0].received_at:%Y-%m-%d}"
        return "warn", f"{len(requests)} open, the oldest since {since}", "ctm erase lists them"
    return "ok", "none is open", None


def _browser() -> Finding:
    from ctm_analytics.report.pdf import find_browser

    found = find_browser()
    if found is None:
        return (
            "warn",
            "no Chromium or Chrome found",
            "Needed only for reports as PDF and for this project's own tests",
        )
    return "ok", f"{Path(found).name} is there", None
