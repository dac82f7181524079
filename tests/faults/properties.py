"""What must hold for any bytes whatever, said once: Hypothesis tries it in `make test`, atheris in `make faults`."""

import contextlib
import hmac
import itertools
import tempfile
from pathlib import Path

from receiver.deliveries import read_delivery
from receiver.errors import ReceiverError, SignatureRefused
from receiver.signature import claimed_digest, verify
from receiver.store.manifest import Manifest, read_manifest
from receiver.store.parquet import event_batch, event_schema
from receiver.store.segment import FILE_MAGIC, FRAME_OVERHEAD_BYTES, Delivery, encode_frame, read_segment

NAME = "20261116T080000-0a1b2c3d-0000000000000000"
NEXT_NAME = "20261116T080000-0a1b2c3d-0000000000000001"
RECEIVED_AT = 1_783_075_200_000_000
SCHEMA = event_schema(store_text=True)
SECRET, BODY = b"a-secret", b"a body"
RIGHT = b"sha256=" + hmac.new(SECRET, BODY, "sha256").hexdigest().encode()


def every_byte_of_a_segment_is_a_frame_or_reported(content: bytes) -> None:
    deliveries, damages = read_segment(content, NAME)
    in_frames = sum(FRAME_OVERHEAD_BYTES + len(delivery.body) for delivery in deliveries)
    in_damages = sum(damage.end - damage.start for damage in damages)
    mark = len(FILE_MAGIC) if content.startswith(FILE_MAGIC) else 0
    assert mark + in_frames + in_damages == len(content)
    assert all(encode_frame(delivery, NAME) in content for delivery in deliveries)


def whole_frames_are_found_between_any_bytes(content: bytes) -> None:
    stretches = [content[:7], content[7:40], content[40:]]
    written = [
        Delivery(number, RECEIVED_AT, bytes(32), stretch) for number, stretch in enumerate(stretches[::-1])
    ]
    frames = [encode_frame(delivery, NEXT_NAME) for delivery in written]
    between = b"".join(itertools.chain(*zip(stretches, frames, strict=True)))
    found, damages = read_segment(between, NEXT_NAME)
    assert found == written
    assert not any(damage.is_tail for damage in damages)


def a_signature_is_accepted_if_it_is_the_right_one_and_else_refused(content: bytes) -> None:
    try:
        assert b"sha256=" + claimed_digest([content]).hex().encode() == content
        verify(BODY, [content], [SECRET])
    except SignatureRefused:
        assert content != RIGHT
    else:
        assert content == RIGHT


def a_delivery_becomes_rows_that_their_columns_can_hold(content: bytes) -> None:
    events = read_delivery(content, received_at=RECEIVED_AT)
    assert events
    assert event_batch(events, SCHEMA).num_rows == len(events)
    assert [event.event_id for event in events] == [
        event.event_id for event in read_delivery(content, received_at=RECEIVED_AT + 1)
    ]


def a_manifest_is_understood_or_refused(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with contextlib.suppress(ReceiverError):
            manifest = read_manifest(Path(file.name))
            assert isinstance(manifest, Manifest)
            assert all(isinstance(number, int) for number in manifest.live)


PROPERTIES = {
    check.__name__: check
    for check in (
        every_byte_of_a_segment_is_a_frame_or_reported,
        whole_frames_are_found_between_any_bytes,
        a_signature_is_accepted_if_it_is_the_right_one_and_else_refused,
        a_delivery_becomes_rows_that_their_columns_can_hold,
        a_manifest_is_understood_or_refused,
    )
}
