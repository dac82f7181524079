"""Two people who write, what they write, and a search for them in every byte of a folder."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from receiver.store.segment import read_segment

ANNA, ANNA_USER_ID = (
    "5541988887777",
    "BR.13491208655302741918",
)  # one person: a phone number, a business-scoped id
BEN = "16505551234"
CLEO = "7219453208114555"  # on Messenger
CANARY = "canary-7f3a"
ACCOUNT, PAGE = "106540352242922", "1906385232743451"


def wamid(number: str, serial: int) -> str:
    """A message id as WhatsApp makes it: the person's number is in it, in base64."""
    head = b"\x1c\x18" + bytes([len(number)]) + number.encode()
    return "wamid." + base64.b64encode(head + b"\x15\x02\x00\x12\x18" + serial.to_bytes(8)).decode()


def whatsapp(*messages: dict[str, Any]) -> bytes:
    """One delivery of the messages of several people, with a contact for each."""
    people = {message["from"]: message.pop("user_id", None) for message in messages}
    contacts = [
        {"wa_id": wa_id, "profile": {"name": CANARY}} | ({"user_id": user_id} if user_id else {})
        for wa_id, user_id in people.items()
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": ACCOUNT},
        "contacts": contacts,
        "messages": list(messages),
    }
    changes = [{"field": "messages", "value": value}]
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
    ).encode()


def said(
    number: str, serial: int, text: str = CANARY, seconds: int = 1749416383, **more: Any
) -> dict[str, Any]:
    return {
        "from": number,
        "id": wamid(number, serial),
        "timestamp": str(seconds),
        "type": "text",
        "text": {"body": text},
        **more,
    }


def wrote(psid: str, mid: str, seconds: int = 1749416383, **message: Any) -> bytes:
    """A Messenger delivery of one message."""
    item = {
        "sender": {"id": psid},
        "recipient": {"id": PAGE},
        "timestamp": seconds * 1000,
        "message": {"mid": mid, "text": CANARY, **message},
    }
    entry = {"id": PAGE, "time": seconds * 1000, "messaging": [item]}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def files_with(data: Path, *needles: str) -> list[str]:
    """Name every file in which a text stands, as it is or in what the file decodes to."""
    pattern = re.compile("|".join(map(re.escape, needles)).encode())
    return [
        str(path.relative_to(data))
        for path in sorted(data.rglob("*"))
        if path.is_file() and any(pattern.search(content) for content in _contents(path))
    ]


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix == ".parquet":
        for row in pq.read_table(path, partitioning=None).to_pylist():
            yield repr(row).encode()
            yield from (base64.b64decode(part) for part in re.findall(r'body_base64": ?"([^"]+)', repr(row)))
    if path.suffix in (".wal", ".open"):
        name = path.stem if path.parent.name == "done" else f"{path.parent.name}-{path.stem}"
        for delivery in read_segment(content, name)[0]:
            yield json.dumps(json.loads(delivery.body), ensure_ascii=False).encode()
    if path.suffix == ".gz":
        yield gzip.decompress(content)
