"""A receiver that finds a damaged journal publishes every whole delivery, keeps the rest, and starts."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.size import sized
from receiving import Receiver, message, published, wait_until
from segments import RECEIVED_AT, publish_all

from receiver.store.folder import DataFolder
from receiver.store.open_segment import seal_dead_journals
from receiver.store.segment import FILE_MAGIC, FRAME_OVERHEAD_BYTES, Delivery, encode_frame
from receiver.store.verification import verify

RECEIVER = "20261116T080000-0a1b2c3d"
MIDS = [f"m_{number}" for number in range(5)]
FRAMES = [
    encode_frame(Delivery(number, RECEIVED_AT + number, bytes(32), message(mid)), f"{RECEIVER}-{0:016}")
    for number, mid in enumerate(MIDS)
]
SEGMENT = FILE_MAGIC + b"".join(FRAMES)
ENDS = list(itertools.accumulate([len(FILE_MAGIC), *map(len, FRAMES)]))


def leave_open(folder: DataFolder, content: bytes) -> None:
    """Leave an open segment, as a receiver does that was killed."""
    path = folder.journal / RECEIVER / f"{0:016}.open"
    path.parent.mkdir()
    path.write_bytes(content)


def recovered(place: Path, content: bytes) -> tuple[list[str], bytes]:
    """What is published of a damaged segment, and what is in quarantine."""
    folder = DataFolder(place)
    folder.create()
    leave_open(folder, content)
    seal_dead_journals(folder.journal)
    publish_all(folder)
    assert verify(folder).is_sound
    kept = b"".join(path.read_bytes() for path in sorted(folder.quarantine.iterdir()))
    return [row["message_id"] for row in published(place)], kept


def test_a_journal_cut_at_any_byte_of_its_last_frames_loses_nothing_before_the_cut(tmp_path: Path) -> None:
    # In `make test` around each boundary: test_journal.py cuts the decoder at every byte.
    near = {end + offset for end in ENDS[2:] for offset in (-1, 0, 1, FRAME_OVERHEAD_BYTES)}
    for length in sized(sorted(near), range(ENDS[2], len(SEGMENT) + 1)):
        content = SEGMENT[:length]
        whole = sum(end <= len(content) for end in ENDS) - 1
        rest = content[ENDS[whole] :]
        assert recovered(tmp_path / str(length), content) == (MIDS[:whole], rest), length


@pytest.mark.parametrize(
    "region", ["mark", "magic", "length", "sequence", "time", "signature", "checksum", "body"]
)
def test_a_flipped_bit_anywhere_costs_one_frame_that_is_kept(tmp_path: Path, region: str) -> None:
    offsets = {
        "magic": 0,
        "length": 4,
        "sequence": 8,
        "time": 16,
        "signature": 24,
        "checksum": 56,
        "body": 100,
    }
    content = bytearray(SEGMENT)
    content[ENDS[1] + offsets[region] if region in offsets else 3] ^= 0x10
    survivors = [mid for number, mid in enumerate(MIDS) if region == "mark" or number != 1]
    lost = content[: ENDS[0]] if region == "mark" else content[ENDS[1] : ENDS[2]]
    assert recovered(tmp_path / "data", bytes(content)) == (survivors, bytes(lost))


TAILS = {
    "a page of zeros": bytes(4096),
    "a preallocated end": bytes(16 * 1024 * 1024),
    "a length of 4 GiB": FRAMES[0][:4] + b"\xff" * 4 + FRAMES[0][8:],
    "nothing but beginnings": b"\xf1\xc7M\xfe" * 100_000,
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_a_tail_that_is_no_frame_is_kept_whatever_it_claims(tmp_path: Path, tail: bytes) -> None:
    assert recovered(tmp_path / "data", SEGMENT + tail) == (MIDS, tail)


def test_a_receiver_starts_and_answers_behind_any_damage(start: Callable[..., Receiver], data: Path) -> None:
    folder = DataFolder(data)
    folder.create()
    leave_open(folder, b"".join([SEGMENT[: ENDS[3]], *TAILS.values(), SEGMENT[ENDS[3] :], FRAMES[0][:-1]]))
    receiver = start()
    assert receiver.post(message("m_new")).status_code == 200
    wait_until(lambda: len(published(data)) == len(MIDS) + 1)
    assert receiver.stop() == 0
    assert sorted(row["message_id"] for row in published(data)) == sorted([*MIDS, "m_new"])
    assert verify(folder).is_sound
