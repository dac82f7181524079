import hashlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from segments import add_segment, delivery, publish_all

from receiver.store.folder import DataFolder
from receiver.store.manifest import Manifest, SettledFile, write_manifest
from receiver.store.verification import Verification, verify


@pytest.fixture
def file(folder: DataFolder) -> Path:
    """The file of a published segment of two deliveries with three events."""
    add_segment(folder, 0, delivery("m_1"), delivery("m_2", "m_3"))
    publish_all(folder)
    return folder.generation(1) / f"run-1-{0:016}.parquet"


def settle(folder: DataFolder, file: Path, *, rows: int = 3, sha256: str | None = None) -> Path:
    """Move a file to where compaction would, and name it in the manifest."""
    settled = folder.events / "settled" / "day=2026-11-16" / "g000001-0.parquet"
    settled.parent.mkdir(parents=True)
    digest = sha256 or hashlib.sha256(file.read_bytes()).hexdigest()
    entry = SettledFile(str(settled.relative_to(folder.events)), rows, digest, 1)
    write_manifest(folder, Manifest((entry,), (1, 2)))
    return file.rename(settled)


def test_a_folder_as_it_was_written_is_sound(folder: DataFolder, file: Path) -> None:
    add_segment(folder, 1, delivery("m_3"), delivery("m_4"))
    found = verify(folder)
    assert found == Verification(files=1, events=3, segments=2, deliveries=4, waiting=1)
    assert found.is_sound


def test_a_new_folder_is_sound(folder: DataFolder) -> None:
    assert verify(folder).is_sound


def test_a_flipped_bit_that_a_query_does_not_see_is_found(folder: DataFolder, file: Path) -> None:
    sound, rows = file.read_bytes(), pq.read_table(file, partitioning=None)
    silent = 0
    for offset in range(4, len(sound), 23):
        spoiled = bytearray(sound)
        spoiled[offset] ^= 1
        file.write_bytes(spoiled)
        try:
            read = pq.read_table(file, partitioning=None, page_checksum_verification=False)
        except (OSError, ValueError):
            continue
        if read.schema.equals(rows.schema) and not read.equals(rows):
            assert not verify(folder).is_sound, offset
            silent += 1
    assert silent > 0


def test_events_whose_file_is_gone_are_lost(folder: DataFolder, file: Path) -> None:
    file.unlink()
    found = verify(folder)
    assert (found.lost, found.files, found.is_sound) == (3, 0, False)


def test_an_event_in_two_files_is_repeated(folder: DataFolder, file: Path) -> None:
    file.with_name("copy.parquet").write_bytes(file.read_bytes())
    found = verify(folder)
    assert (found.repeated, found.is_sound) == (3, False)


def test_a_settled_file_is_what_the_manifest_says(folder: DataFolder, file: Path) -> None:
    settle(folder, file)
    assert verify(folder) == Verification(files=1, events=3, segments=1, deliveries=2)


@pytest.mark.parametrize(
    ("claim", "fault"), [({"rows": 2}, "3 rows, but"), ({"sha256": "0" * 64}, "SHA-256")]
)
def test_a_settled_file_that_is_not_what_the_manifest_says_is_a_fault(
    folder: DataFolder, file: Path, claim: dict[str, object], fault: str
) -> None:
    settle(folder, file, **claim)  # type: ignore[arg-type]  # fields of several types
    found = verify(folder)
    assert [fault in sentence for sentence in found.faults] == [True]


def test_a_settled_file_that_is_missing_is_a_fault_and_its_events_are_lost(
    folder: DataFolder, file: Path
) -> None:
    settle(folder, file).unlink()
    found = verify(folder)
    assert (len(found.faults), found.lost) == (1, 3)


def test_damage_is_a_fault_until_it_is_in_quarantine(folder: DataFolder, file: Path) -> None:
    segment = add_segment(folder, 1, delivery("m_4"), delivery("m_5"))
    segment.write_bytes(segment.read_bytes()[:-5])
    assert [sentence.endswith("are no frame.") for sentence in verify(folder).faults] == [True]
    publish_all(folder)
    assert verify(folder).is_sound
    next(folder.quarantine.iterdir()).unlink()
    assert not verify(folder).is_sound
