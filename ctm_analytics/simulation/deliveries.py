"""The bodies that Meta posts: batched, partly delivered twice, and not in order."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

from ctm_analytics.simulation.business import (
    INSTAGRAM,
    MESSENGER,
    WHATSAPP,
    WHATSAPP_BUSINESS_ACCOUNT_ID,
    WHATSAPP_DISPLAY_NUMBER,
)
from ctm_analytics.simulation.items import Item, item_of
from ctm_analytics.simulation.period import DAY, HOUR, MINUTE, SECOND, Period
from ctm_analytics.simulation.world import World

_OBJECTS = {MESSENGER: "page", INSTAGRAM: "instagram", WHATSAPP: "whatsapp_business_account"}

# How many items a POST holds, as ranges with their weight; the mean is about seven.
_BATCH_SIZES = ((1, 1), (2, 5), (6, 15), (16, 40))
_BATCH_WEIGHTS = (30, 35, 25, 10)

_LATE_SHARE = 0.03
_REDELIVERED_SHARE = 0.02
_RETRIED_BODY_SHARE = 0.005


class OddDelivery(NamedTuple):
    """A delivery that is about no contact, and the event type under which it is kept."""

    event_type: str
    body: bytes


class _Post(NamedTuple):
    sent_at: int
    body: bytes


def deliveries_of(world: World) -> list[bytes]:
    """Return the bodies of all POSTs, in the order in which they are sent.

    Every event of the world and every odd delivery is in at least one of them; some two in a hundred events are in
    two, some bodies come twice, and an event may come hours after later ones.
    """
    random = Random(f"{world.seed}:deliveries")
    posts: list[_Post] = []
    for platform in _OBJECTS:
        queue = _queue(world, platform, random)
        for batch in _batches(queue, random):
            sent_at = batch[-1][0]
            items = [item for _, item in batch]
            posts.append(_Post(sent_at, _encoded(_body(platform, items, sent_at))))
    posts += [
        post._replace(sent_at=post.sent_at + random.randrange(SECOND, HOUR))
        for post in posts
        if random.random() < _RETRIED_BODY_SHARE
    ]
    for odd in odd_deliveries(world.period):
        posts.append(_Post(random.randrange(world.period.start, world.period.end), odd.body))
    return [post.body for post in sorted(posts, key=lambda post: post.sent_at)]


def odd_deliveries(period: Period) -> list[OddDelivery]:
    """Return tests from the App Dashboard, an item of a shape nobody knows, and a body that is not JSON."""
    test = {
        "field": "messages",
        "value": {
            "sender": {"id": "12334"},
            "recipient": {"id": "23245"},
            "timestamp": "1527459824",
            "message": {"mid": "random_mid", "text": "random_text"},
        },
    }
    seconds = (period.start + 3 * DAY) // SECOND
    future = {
        "sender": {"id": "6193871550648241"},
        "recipient": {"id": "682498302938465"},
        "timestamp": seconds * 1_000,
        "thread_weather": {"forecast": "sunny", "shape": "of a field that Meta has yet to invent"},
    }
    return [
        *(
            OddDelivery(
                "test", _encoded({"object": name, "entry": [{"id": "0", "time": seconds, "changes": [test]}]})
            )
            for name in ("page", "instagram")
        ),
        OddDelivery(
            "unknown",
            _encoded(
                _messaging_body(MESSENGER, [Item("682498302938465", "messaging", future)], seconds * SECOND)
            ),
        ),
        OddDelivery("unknown", b"this is signed, but it is not JSON"),
    ]


def _queue(world: World, platform: str, random: Random) -> list[tuple[int, Item]]:
    """Return the items of one platform with the instant at which Meta sends them, repeated ones included."""
    queue: list[tuple[int, Item]] = []
    for event in world.events:
        if event.contact.platform != platform:
            continue
        item = item_of(event, random)
        sent_at = event.at + random.randrange(200_000, 1_500_000)
        if random.random() < _LATE_SHARE:
            sent_at += random.randrange(MINUTE, 6 * HOUR)
        queue.append((sent_at, item))
        if random.random() < _REDELIVERED_SHARE:
            queue.append((sent_at + random.randrange(30 * SECOND, 5 * HOUR), item))
    return sorted(queue, key=lambda sent: sent[0])


def _batches(queue: Sequence[tuple[int, Item]], random: Random) -> Iterator[Sequence[tuple[int, Item]]]:
    first = 0
    while first < len(queue):
        fewest, most = random.choices(_BATCH_SIZES, _BATCH_WEIGHTS)[0]
        size = random.randint(fewest, most)
        yield queue[first : first + size]
        first += size


def _body(platform: str, items: Sequence[Item], sent_at: int) -> dict[str, Any]:
    if platform == WHATSAPP:
        return _whatsapp_body(items)
    return _messaging_body(platform, items, sent_at)


def _messaging_body(platform: str, items: Sequence[Item], sent_at: int) -> dict[str, Any]:
    """Write one entry per account, as Meta batches updates of several Pages."""
    by_account: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_account.setdefault(item.account_id, []).append(item.content)
    entries = [
        {"id": account_id, "time": sent_at // 1_000, "messaging": contents}
        for account_id, contents in by_account.items()
    ]
    return {"object": _OBJECTS[platform], "entry": entries}


def _whatsapp_body(items: Sequence[Item]) -> dict[str, Any]:
    """Write one change per run of the same kind; people stand beside the messages, each once."""
    changes = [_change(place, list(run)) for place, run in groupby(items, key=lambda item: item.place)]
    return {"object": _OBJECTS[WHATSAPP], "entry": [{"id": WHATSAPP_BUSINESS_ACCOUNT_ID, "changes": changes}]}


def _change(place: str, items: Sequence[Item]) -> dict[str, Any]:
    phone = {"display_phone_number": WHATSAPP_DISPLAY_NUMBER, "phone_number_id": items[0].account_id}
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": phone}
    people = _each_once(item.contact for item in items if item.contact is not None)
    if people:
        value["contacts"] = people
    value[place] = [item.content for item in items]
    return {"value": value, "field": "smb_message_echoes" if place == "message_echoes" else "messages"}


def _each_once(people: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({json.dumps(person, sort_keys=True): person for person in people}.values())


def _encoded(body: dict[str, Any]) -> bytes:
    """Write JSON as Meta sends it: compact, everything beyond ASCII escaped."""
    return json.dumps(body, separators=(",", ":")).encode()
