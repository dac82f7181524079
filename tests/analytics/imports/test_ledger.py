"""What is stored, once, and whole or not at all."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.imports import import_spend
from ctm_analytics.imports.ledger import unused_id
from ctm_analytics.schemas import IMPORTS
from ctm_analytics.settings import Settings

FILES = {
    "sales": "sale_id,sold_at,gross_amount,currency\n1,2026-11-01 10:00,5.00,USD\n",
    "spend": "day,ad_id,spend,currency\n2026-11-01,8,1.50,USD\n2026-11-02,8,1.00,USD\n",
    "contacts": "contact_id,email\n24,a@b.co\n",
    "rates": "day,currency,rate\n2026-11-01,EUR,1.08\n",
}


@pytest.mark.parametrize("kind", FILES)
def test_an_import_is_a_parquet_file_in_the_schema_of_the_contract(importer, kind):
    summary = importer.run(kind, FILES[kind])
    path = importer.data / "imports" / kind / f"{summary.import_id}.parquet"
    assert pq.read_schema(path).equals(IMPORTS[kind])
    row = importer.rows(kind)[0]
    assert (row["import_id"], row["imported_at"], row["source_file"], row["source_line"]) == (
        summary.import_id,
        datetime(2026, 11, 23, 7, 15),
        "file.csv",
        2,
    )


def test_the_record_says_what_was_read(importer):
    summary = importer.run("spend", FILES["spend"], mapping={"spend": "spend"})
    record = json.loads((importer.data / "imports" / "spend" / f"{summary.import_id}.json").read_text())
    assert record["mapping"] == {
        "spend": ["spend"], "day": ["day"], "ad_id": ["ad_id"], "currency": ["currency"],
    }  # fmt: skip
    assert (record["file"], record["rows_read"], record["preset"], record["imported_at"]) == (
        "file.csv",
        2,
        "plain",
        "2026-11-23T07:15:00+00:00",
    )
    assert summary.import_id == f"20261123T071500Z-{record['sha256'][:8]}"


def test_the_same_bytes_are_stored_once_whatever_the_files_name(importer):
    first = importer.run("spend", FILES["spend"])
    before = {path: path.stat().st_mtime_ns for path in importer.files("spend")}
    again = importer.run("spend", FILES["spend"], name="copy.csv", minutes=5)
    assert {path: path.stat().st_mtime_ns for path in importer.files("spend")} == before
    assert again.already_imported_at == datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
    assert (again.import_id, again.amounts, again.first_day) == (
        first.import_id,
        first.amounts,
        first.first_day,
    )
    assert str(again).endswith(
        f"  import    already imported on 2026-11-23 07:15 UTC as {first.import_id}: nothing written"
    )


def test_other_bytes_are_another_import(importer):
    importer.run("spend", FILES["spend"])
    importer.run("spend", FILES["spend"].replace("1.50", "1.75"), minutes=5)
    assert importer.column("spend", "spend").count(importer.rows("spend")[1]["spend"]) == 2
    assert len(importer.files("spend")) == 4


def test_the_same_bytes_may_be_of_two_kinds(importer):
    content = (
        "contact_id,email,sale_id,sold_at,gross_amount,currency\n24,a@b.co,1,2026-11-01 10:00,5.00,USD\n"
    )
    assert importer.run("sales", content).already_imported_at is None
    assert importer.run("contacts", content).already_imported_at is None


def test_a_dry_run_says_the_same_and_writes_nothing(importer):
    dry = importer.run("spend", FILES["spend"], dry_run=True)
    assert not importer.data.exists()
    assert str(dry).endswith("  import    dry run: nothing written")
    real = importer.run("spend", FILES["spend"])
    assert str(dry).splitlines()[:-1] == str(real).splitlines()[:-1]


def test_a_dry_run_of_bytes_that_are_stored_already_says_so(importer):
    importer.run("spend", FILES["spend"])
    assert importer.run("spend", FILES["spend"], dry_run=True).already_imported_at is not None


def test_an_instant_without_a_zone_is_refused(importer):
    with pytest.raises(InvalidArgument, match="imported_at: 2026-11-23 07:15:00 has no time zone"):
        import_spend(
            importer.write(FILES["spend"]),
            importer.data,
            settings=Settings(),
            imported_at=datetime(2026, 11, 23, 7, 15),
        )


def test_a_broken_record_is_named(importer):
    importer.run("spend", FILES["spend"])
    record = next(path for path in importer.files("spend") if path.suffix == ".json")
    record.write_text("{")
    with pytest.raises(InvalidFile, match=f"{record.name}: not the record of an import"):
        importer.run("spend", FILES["spend"])


def test_many_imports_of_the_same_file_at_once_store_it_once(importer):
    path = importer.write(FILES["spend"])
    with ThreadPoolExecutor(8) as threads:
        summaries = list(threads.map(lambda minute: importer.run("spend", path, minutes=minute), range(8)))
    assert [summary.already_imported_at for summary in summaries].count(None) == 1
    assert len(importer.files("spend")) == 2


# Imports into one folder after the other; each child kills itself one step later than the one before: when it opens,
# makes or renames something below its data folder for the n-th time. Prints how each child ended.
KILLED_IMPORTS = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import pandas  # pyarrow would load it in every child
from ctm_analytics.imports import import_spend
from ctm_analytics.settings import Settings

def import_until(step, folder):
    def count(event, arguments):
        nonlocal step
        if event in ("open", "os.rename", "os.mkdir") and str(folder / "data") in str(arguments[0]):
            step -= 1
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    at = datetime(2026, 11, 23, 7, 14, tzinfo=UTC)
    import_spend(folder / "file.csv", folder / "data", settings=Settings(), imported_at=at)

for step, folder in enumerate(map(Path, sys.argv[1:]), start=1):
    child = os.fork()
    if child == 0:
        import_until(step, folder)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_an_import_killed_at_any_moment_is_whole_or_absent_and_can_be_repeated(importer):
    attempts = [type(importer)(importer.folder / str(step)) for step in range(14)]
    for attempt in attempts:
        attempt.folder.mkdir()
        attempt.write(FILES["spend"])
    command = [sys.executable, "-c", KILLED_IMPORTS, *(str(attempt.folder) for attempt in attempts)]
    codes = [int(line) for line in subprocess.run(command, check=True, capture_output=True).stdout.split()]
    assert set(codes) == {-signal.SIGKILL, 0}, "the last ones had no further step to be killed at"
    assert {len(attempt.rows("spend")) for attempt in attempts} == {0, 2}, "whole or absent"
    for attempt in attempts:
        attempt.run("spend", attempt.folder / "file.csv")
        assert len(attempt.rows("spend")) == 2, "repeated, it is there once"
        assert len(attempt.files("spend")) == 2, "and nothing is left over"


def test_a_name_of_which_only_the_record_is_there_is_taken(tmp_path):
    at, sha256 = datetime(2026, 11, 17, 8, tzinfo=UTC), "1a2b3c4d" + 56 * "0"
    assert unused_id(tmp_path, at, sha256) == "20261117T080000Z-1a2b3c4d"
    (tmp_path / "20261117T080000Z-1a2b3c4d.json").touch()
    assert unused_id(tmp_path, at, sha256) == "20261117T080000Z-1a2b3c4d-2"
