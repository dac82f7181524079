"""A small business whose deliveries the publisher writes, and what is kept of it beside what is worked out anew."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from people import said, whatsapp
from segments import publish_all

from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.derived.history import EventHistory
from ctm_analytics.derived.parts import ON_DEMAND, RELATIONS
from ctm_analytics.engines.duckdb import DuckDBEngine
from ctm_analytics.models import compose
from ctm_analytics.questions import ask
from ctm_analytics.settings import Settings
from ctm_analytics.sources import SCHEMAS, find_sources
from receiver.store.compaction import compact
from receiver.store.erasure import erase
from receiver.store.folder import DataFolder
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame
from receiver.store.tombstones import Person

START = 1_783_000_000
HOUR, DAY = 3600, 86_400
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
BEFORE = datetime.fromtimestamp(START, UTC)
# Ties, exact gaps of touches and conversations and just beyond, and long silences.
SILENCES = (0, 1, 2, 300, 1800, 1801, HOUR, DAY - 1, DAY, DAY + 1, 5 * DAY)
PEOPLE = ("7000001", "7000002", "5511988887777", "5511977776666", "BR.13491208655302741918")
KINDS = ("message", "message", "ad 1", "ad 2", "link", "echo", "echo", "read", "number changed")


@dataclass(frozen=True)
class Act:
    """Somebody does something ``silence`` seconds after what they did last, known ``delay`` seconds later."""

    person: str
    kind: str
    silence: int
    earlier: int
    delay: int
    user_id: str | None


class Business:
    """A data folder that the publisher writes, with everybody's clock."""

    def __init__(self, root: Path) -> None:
        os.umask(0o077)
        self.folder = DataFolder(root)
        self.folder.create()
        self.segments = 0
        self.clocks = dict.fromkeys(PEOPLE, START)
        self.last: list[tuple[int, bytes]] = []
        self.instants = [START]

    def deliver(self, batch: list[Act]) -> None:
        deliveries = []
        for act in batch:
            self.clocks[act.person] = self.clocks.get(act.person, START) + act.silence
            at = self.clocks[act.person] - act.earlier
            deliveries.append((at + act.delay, self.body(act, at)))
            self.instants.append(max(at, at + act.delay))
        self.last = deliveries
        self.publish(deliveries)

    def publish(self, deliveries: list[tuple[int, bytes]]) -> None:
        self.segments += 1
        frames = [
            encode_frame(
                Delivery(number, received_at * 1_000_000, b"s" * 32, body), f"run-1-{self.segments:016}"
            )
            for number, (received_at, body) in enumerate(deliveries)
        ]
        path = self.folder.journal / "run-1" / f"{self.segments:016}.wal"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(FILE_MAGIC + b"".join(frames))
        publish_all(self.folder)

    def body(self, act: Act, at: int) -> bytes:
        self.segments += 1  # no two messages have one id
        if act.person.startswith("7"):
            return self.on_messenger(act, at)
        message = said(act.person, self.segments, "words", at)
        if act.kind.startswith("ad"):
            message["referral"] = {"source_type": "ad", "source_id": f"12022630585481{act.kind[-1]}"}
        if act.kind == "number changed":
            body = "User A changed from 5511977776666 to 5511988887777"
            system = {"type": "user_changed_number", "wa_id": "5511988887777", "body": body}
            message |= {"type": "system", "system": system}
        return whatsapp(message | ({"user_id": act.user_id} if act.user_id else {}))

    def on_messenger(self, act: Act, at: int) -> bytes:
        person, page = {"id": act.person}, {"id": "1906385232743451"}
        item: dict[str, Any] = {"sender": person, "recipient": page, "timestamp": at * 1000}
        message: dict[str, Any] = {"mid": f"m_{self.segments}", "text": "words"}
        if act.kind == "echo":
            item |= {"sender": page, "recipient": person, "message": message | {"is_echo": True, "app_id": 1}}
        elif act.kind == "read":
            item["read"] = {"watermark": at * 1000}
        elif act.kind == "link":
            item["referral"] = {"ref": f"r-{at % 3}", "source": "SHORTLINK", "type": "OPEN_THREAD"}
        elif act.kind.startswith("ad"):
            ad = {"ref": "spring", "source": "ADS", "type": "OPEN_THREAD", "ad_id": f"ad-{act.kind[-1]}"}
            item["message"] = message | {"referral": ad}
        else:
            item["message"] = message
        entry = {"id": page["id"], "time": at * 1000, "messaging": [item]}
        return json.dumps({"object": "page", "entry": [entry]}).encode()

    def take(self, step: "list[Act] | str") -> datetime:
        """Do a step; as of when to ask then."""
        match step:
            case list():
                self.deliver(step)
            case "compact":
                compact(self.folder, grace_seconds=0)
            case "again":
                self.publish(self.last)
            case "forget":
                shutil.rmtree(self.folder.root / "derived", ignore_errors=True)
            case "erase":
                erase(self.folder, Person(frozenset({PEOPLE[0]})), LATEST)
            case "earlier":
                middle = sorted(self.instants)[len(self.instants) // 2]
                return datetime.fromtimestamp(middle, UTC)
        return max(datetime.fromtimestamp(sorted(self.instants)[-1 - len(self.instants) // 8], UTC), BEFORE)


def differences(
    data: Path, as_of: datetime, names: Iterable[str] = (*RELATIONS, *ON_DEMAND)
) -> dict[str, int]:
    """Count the rows, by relation, in which what is kept differs from what is worked out anew."""
    sources = find_sources(data)
    engine = DuckDBEngine(sources.files, SCHEMAS)
    parameters = ask({}, Settings(), as_of).parameters(Settings(), None)
    history = EventHistory(DerivedFolder(data / "derived"), sources.files["raw_events"], engine)
    found = {}
    for name in names:
        kept, anew = f"({history.select(name, parameters)})", f"({compose(name, parameters)})"
        rows = f"(from {kept} except all from {anew}) union all (from {anew} except all from {kept})"
        found[name] = engine.query(rows).num_rows
    return {name: count for name, count in found.items() if count}


def talk(*people: str) -> list[Act]:
    return [Act(person, kind, HOUR, 0, 0, None) for person in people for kind in ("ad 1", "echo", "message")]
