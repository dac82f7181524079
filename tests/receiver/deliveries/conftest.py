"""The 353 public sample bodies and what a person read in each of them: payloads/README.md."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.deliveries import Event, read_delivery
from receiver.deliveries.reading import ReadingOptions

PAYLOADS = Path(__file__).parent / "payloads"
RECEIVED_AT = 1_795_000_000_000_000


class Samples:
    """Sample bodies by file name, and helpers that put an item of one's own into an envelope."""

    def __init__(self) -> None:
        lines = (PAYLOADS / "bodies.jsonl").read_text(encoding="utf-8").splitlines()
        self.bodies: dict[str, Any] = {line["file"]: line["body"] for line in map(json.loads, lines)}

    def events(self, file: str) -> list[Event]:
        return self.read(self.bodies[file])

    @staticmethod
    def read(body: object, **options: Any) -> list[Event]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return read_delivery(raw, received_at=RECEIVED_AT, options=ReadingOptions(**options))

    @staticmethod
    def page(
        *items: Any, entry_id: object = "682498302938465", time: object = 1783075200842
    ) -> dict[str, Any]:
        return {"object": "page", "entry": [{"id": entry_id, "time": time, "messaging": list(items)}]}

    @staticmethod
    def item(**keys: Any) -> dict[str, Any]:
        return {
            "sender": {"id": "6193871550648241"},
            "recipient": {"id": "682498302938465"},
            "timestamp": 1783075200000,
            **keys,
        }

    @staticmethod
    def whatsapp(field: str = "messages", **value: Any) -> dict[str, Any]:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
        change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
        return {
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [change]}],
        }

    @staticmethod
    def message(**keys: Any) -> dict[str, Any]:
        written = {"type": "text", "text": {"body": "Hi"}}
        return {"from": "16505551234", "id": "wamid.1", "timestamp": "1749416383", **written, **keys}


@pytest.fixture(scope="session")
def samples() -> Samples:
    return Samples()


@pytest.fixture(scope="session")
def expected_rows() -> dict[str, list[dict[str, str | None]]]:
    """Return the reviewed rows of each file, in the order of its delivery; None where a cell is empty."""
    rows: dict[str, list[dict[str, str | None]]] = {}
    for row in _reviewed():
        rows.setdefault(row.pop("file"), []).append({key: cell or None for key, cell in row.items()})
    return rows


def _reviewed() -> Iterator[dict[str, str]]:
    lines = (PAYLOADS / "expected.tsv").read_text(encoding="utf-8").splitlines()
    return csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t")
