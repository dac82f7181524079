"""`ctm` as it is typed: its arguments, its exit code, and what went to which stream."""

import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ctm_analytics.cli.main import main

START = datetime(2026, 11, 2, 8, 0)  # a Monday, UTC


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CTM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def ctm(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Outcome]:
    """Run the program inside this process: a process of its own would load pandas once per test."""

    def run(*arguments: object, stdin: bytes = b"") -> Outcome:
        capsysbinary.readouterr()
        monkeypatch.setattr(sys, "argv", ["ctm", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        exit_code: Any = 0
        try:
            main()
        except SystemExit as stopped:
            exit_code = stopped.code
        stdout, stderr = capsysbinary.readouterr()
        return Outcome(exit_code or 0, stdout, stderr.decode())

    return run


@pytest.fixture
def shop(world) -> Path:
    """A week of a shop: one ad that sold, one without spend, one conversation that no ad brought."""
    seconds, hours, days = (
        lambda n, unit=unit: timedelta(**{unit: n}) for unit in ("seconds", "hours", "days")
    )
    world.event("anna", START, "referral", ad_id="101", referral_source="ADS")
    world.event("anna", START + seconds(5), text_length=2).echo("anna", START + seconds(180))
    world.event("ben", START + hours(1), ad_id="102", platform="whatsapp", account="491701234567")
    world.event("cleo", START + hours(2), platform="instagram")
    world.echo("cleo", START + hours(4), platform="instagram")
    names = {"adset_id": "11", "adset_name": "Berlin", "campaign_id": "9", "campaign_name": "Shoes, winter"}
    counts = {"impressions": 1000, "link_clicks": 20, "reported_conversations": 2}
    world.spend(date(2026, 11, 2), "101", "50.00", ad_name='Autumn "sale"', **names, **counts)
    world.sale("S1", START + days(1), "80.00", contact_id="anna")
    world.sale("S2", START + days(2), "19.90", email="nobody@example.com")
    return world.write()
