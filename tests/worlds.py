"""Small worlds, written to disk in the layout of docs/data-contract.md, for tests to ask questions about."""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import ctm_analytics as ctm
from ctm_analytics.schemas import EVENTS, HEARTBEATS, IMPORTS

START = datetime(2026, 11, 2, 8, 0)  # a Monday, UTC
AS_OF = datetime(2026, 11, 30, tzinfo=UTC)


class World:
    """Events and imports of an invented business; every instant is naive UTC, as on disk."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._rows: dict[str, list[dict[str, Any]]] = {
            kind: [] for kind in ("events", "heartbeats", *IMPORTS)
        }

    def event(
        self, contact: str, at: datetime, kind: str = "message", *, platform: str = "messenger", **fields: Any
    ) -> "World":
        """Add an event; an ``echo`` is outbound, everything else inbound."""
        account = fields.pop("account", "page-1")
        key = hashlib.blake2b(f"{platform}|{account}|{contact}".encode(), digest_size=8).digest()
        row = {
            "platform": platform,
            "account_id": account,
            "contact_id": contact,
            "contact_key": int.from_bytes(key, "big", signed=True),
            "event_type": kind,
            "direction": "outbound" if kind == "echo" else "inbound",
            "occurred_at": at,
            "received_at": at,
            "responder": "unknown" if kind == "echo" else None,
            "standby": False,
            "payload": "{}",
        } | fields
        row.setdefault("event_id", f"event-{len(self._rows['events'])}")
        self._rows["events"].append(row)
        return self

    def echo(self, contact: str, at: datetime, **fields: Any) -> "World":
        return self.event(contact, at, "echo", **fields)

    def spend(self, day: date, ad: str, spend: str, *, currency: str = "USD", **fields: Any) -> "World":
        self._rows["spend"].append(
            {"day": day, "ad_id": ad, "spend": Decimal(spend), "currency": currency, "is_estimated": False}
            | _origin()
            | fields
        )
        return self

    def sale(self, sale: str, at: datetime, amount: str, *, currency: str = "USD", **fields: Any) -> "World":
        row = {
            "sale_id": sale,
            "sold_at": at,
            "gross_amount": Decimal(amount),
            "currency": currency,
            "status": "won",
        }
        self._rows["sales"].append(row | {"refunded_amount": Decimal("0.00")} | _origin() | fields)
        return self

    def contact(self, contact: str, **fields: Any) -> "World":
        self._rows["contacts"].append({"contact_id": contact} | _origin() | fields)
        return self

    def rate(self, day: date, currency: str, rate: str, **fields: Any) -> "World":
        row = {"day": day, "currency": currency, "rate": Decimal(rate)} | _origin() | fields
        self._rows["rates"].append(row)
        return self

    def uptime(self, started_at: datetime, beat_at: datetime) -> "World":
        self._rows["heartbeats"].append(
            {"receiver_id": "receiver-1", "started_at": started_at, "beat_at": beat_at}
        )
        return self

    def write(self, *, settings: str = "") -> Path:
        """Write everything to disk and return the data folder."""
        events = self.data / "events"
        for generation in (1, 2):
            self._write(f"events/recent/g=00000{generation}/0-schema.parquet", [], EVENTS)
        self._write("events/recent/g=000001/test-1.parquet", self._rows["events"], EVENTS)
        (events / "manifest.json").write_text(json.dumps({"version": 1, "settled": [], "live": [1, 2]}))
        self._write("heartbeats/test.parquet", self._rows["heartbeats"], HEARTBEATS)
        for kind, schema in IMPORTS.items():
            self._write(f"imports/{kind}/test.parquet", self._rows[kind], schema)
        (self.data / "ctm.toml").write_text(settings)
        return self.data

    def open(self, *, settings: str = "", as_of: datetime = AS_OF) -> ctm.Workbench:
        return ctm.open(self.write(settings=settings), as_of=as_of, environ={})

    def _write(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def _origin() -> dict[str, Any]:
    return {
        "import_id": "import-1",
        "imported_at": datetime(2026, 11, 1),
        "source_file": "invented.csv",
        "source_line": 2,
    }
