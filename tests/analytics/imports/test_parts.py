"""A file too large for one part is imported as if it were one."""

import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from ctm_analytics import imports
from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports import importing
from ctm_analytics.settings import Settings

SPEND = '"Reporting starts","Reporting ends","Ad name","Ad ID","Amount spent (USD)",Age\n'


def outcome(kind, content, part_bytes, **options):
    """Import in parts of so many bytes: the rows in no order, and what the summary or the error says."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "PART_BYTES", part_bytes)
        file = Path(folder) / "file.csv"
        file.write_text(content)
        act = getattr(imports, f"import_{kind}")
        try:
            summary = act(
                file,
                Path(folder),
                settings=Settings(),
                imported_at=datetime(2026, 11, 23, tzinfo=UTC),
                **options,
            )
        except InvalidFile as error:
            return str(error)
        rows = [row for path in Path(folder).rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
        said = sorted(str(summary).splitlines())
        return sorted(rows, key=repr), said


spend_lines = some.lists(
    some.tuples(
        some.integers(1, 5),
        some.sampled_from(["120226305854810123", "120226305854810124", "'7", "7", ""]),
        some.sampled_from(["1.00", "2.50", "1,000.25", "x", "", "0"]),
        some.sampled_from(["18-24", "25-34", "35-44"]),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(spend_lines, some.booleans(), some.booleans())
def test_spend_in_many_parts_is_spend_in_one(lines, has_total, is_daily):
    rows = [
        f'2026-11-0{day},2026-11-0{day if is_daily else day + 1},{ad and "name"},{ad},"{spend}",{age}'
        for day, ad, spend, age in lines
    ]
    rows += ["2026-11-01,2026-11-05,,,1003.75,"] if has_total else []
    for options in ({}, {"max_errors": 40}, {"max_errors": 40, "spread_evenly": True}):
        one, many = (outcome("spend", SPEND + "\n".join(rows), size, **options) for size in (1 << 30, 40))
        assert many == one


@settings(max_examples=15, deadline=None)
@given(
    some.lists(
        some.tuples(
            some.integers(1, 6),
            some.sampled_from(["10.00", "", "12,5", "20.00"]),
            some.sampled_from(["#", "'#"]),
        ),
        min_size=1,
        max_size=30,
    ),
    some.sampled_from(["paid", "pending", "odd", ""]),
)
def test_sales_in_many_parts_are_sales_in_one(lines, status):
    content = "Name,Created at,Total,Currency,Financial Status,Email\n" + "\n".join(
        f'{mark}{number},2026-11-01 10:00:00 +0000,"{total}",USD,{status},nobody'
        for number, total, mark in lines
    )
    for options in ({}, {"max_errors": 40}):
        one, many = (outcome("sales", content, size, **options) for size in (1 << 30, 40))
        assert many == one


def test_a_part_leaves_nothing_behind_when_the_process_is_killed(tmp_path):
    """The parts have no name: not even SIGKILL leaves one on the disk."""
    file = tmp_path / "file.csv"
    first = date(2026, 1, 1)
    lines = [
        f"{first + timedelta(days=row % 300)},{row // 300},{Decimal(row) / 100},USD" for row in range(3000)
    ]
    file.write_text("\n".join(["day,ad_id,spend,currency", *lines]))
    program = f"""
import os, signal
from datetime import UTC, datetime
from pathlib import Path
from ctm_analytics.imports import import_spend, importing
from ctm_analytics.settings import Settings
importing.PART_BYTES = 4096
def kill(step, done, total):
    if step == "storing" and done == 3:
        os.kill(os.getpid(), signal.SIGKILL)
import_spend(Path({str(file)!r}), Path({str(tmp_path / "data")!r}), settings=Settings(),
             imported_at=datetime(2026, 11, 23, tzinfo=UTC), on_progress=kill)
"""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(scratch)}, check=False
    )
    assert run.returncode == -signal.SIGKILL
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "data").exists()
