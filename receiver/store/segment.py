"""The journal's file format, without I/O: a delivery becomes a frame, and a damaged file gives all it can."""

import struct
import zlib
from collections.abc import Iterable
from typing import NamedTuple

FILE_MAGIC = b"CTM\xf1JNL1"
FRAME_MAGIC = b"\xf1\xc7M\xfe"
# magic, body bytes, sequence, received_at, claimed SHA-256 of the signature, CRC-32
_HEADER = struct.Struct("<4sIQq32sI")
_CRC = struct.Struct("<I")
_CRC_OFFSET = _HEADER.size - _CRC.size
FRAME_OVERHEAD_BYTES = _HEADER.size


class Delivery(NamedTuple):
    """One verified delivery as it lies in the journal.

    Attributes
    ----------
    sequence : int, counts up from 0 within a segment
    received_at : int, microseconds since 1970 UTC
    signature : bytes, the 32 bytes of Meta's HMAC, so that the proof is kept with what it proves
    body : bytes, exactly as received
    """

    sequence: int
    received_at: int
    signature: bytes
    body: bytes


class Damage(NamedTuple):
    """A stretch of a segment that is no frame: bytes ``start`` to ``end``; a torn tail if nothing follows."""

    start: int
    end: int
    is_tail: bool


def encode_frame(delivery: Delivery, segment_name: str) -> bytes:
    """Write a delivery as a frame of one segment.

    The checksum covers the header, the body and the name of the segment: bytes of another segment, or of a
    body that imitates a frame, are never taken for a frame of this one.
    """
    head = _HEADER.pack(
        FRAME_MAGIC, len(delivery.body), delivery.sequence, delivery.received_at, delivery.signature, 0
    )[:_CRC_OFFSET]
    return head + _CRC.pack(_checksum(segment_name, head, delivery.body)) + delivery.body


def encode_segment(deliveries: Iterable[Delivery], segment_name: str) -> bytes:
    """Write a whole segment."""
    return FILE_MAGIC + b"".join(encode_frame(delivery, segment_name) for delivery in deliveries)


def read_segment(content: bytes, segment_name: str) -> tuple[list[Delivery], list[Damage]]:
    """Find every whole frame of a segment.

    Total: whatever the bytes, each whole frame is found, also behind damage, and every other byte is
    reported as damage; nothing is dropped silently.

    Parameters
    ----------
    content : bytes of the file
    segment_name : str, ``<receiver_id>-<number>``, the name that its frames were written under

    Returns
    -------
    tuple of list of Delivery and list of Damage
        Both in the order of the file.
    """
    deliveries: list[Delivery] = []
    damages: list[Damage] = []
    position = len(FILE_MAGIC) if content.startswith(FILE_MAGIC) else 0
    while position < len(content):
        delivery = _frame_at(content, position, segment_name)
        if delivery is not None:
            deliveries.append(delivery)
            position += FRAME_OVERHEAD_BYTES + len(delivery.body)
            continue
        following = _next_frame(content, position + 1, segment_name)
        damages.append(Damage(position, following, is_tail=following == len(content)))
        position = following
    return deliveries, damages


def _next_frame(content: bytes, position: int, segment_name: str) -> int:
    while (position := content.find(FRAME_MAGIC, position)) >= 0:
        if _frame_at(content, position, segment_name) is not None:
            return position
        position += 1
    return len(content)


def _frame_at(content: bytes, position: int, segment_name: str) -> Delivery | None:
    if position + FRAME_OVERHEAD_BYTES > len(content):
        return None
    magic, length, sequence, received_at, signature, checksum = _HEADER.unpack_from(content, position)
    start = position + FRAME_OVERHEAD_BYTES
    if magic != FRAME_MAGIC or start + length > len(content):
        return None
    body = content[start : start + length]
    if checksum != _checksum(segment_name, content[position : position + _CRC_OFFSET], body):
        return None
    return Delivery(sequence, received_at, signature, body)


def _checksum(segment_name: str, head: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(head, zlib.crc32(segment_name.encode())))
