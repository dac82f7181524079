"""Touches, conversations, turns and waits: sections 3 and 4 of the definitions, in plain loops."""

from datetime import datetime

from .facts import Facts, Person, Row, Rules

ACTIVITY = ("message", "postback", "referral", "echo")
WRITTEN = ("message", "postback")


def touches(facts: Facts, rules: Rules) -> list[Row]:
    """Join the referrals of one click, person by person."""
    found = []
    for person, events in facts.events.items():
        clicks: dict[tuple[str | None, tuple[str | None, ...] | None], list[Row]] = {}
        for event in events:
            if event["event_type"] in ACTIVITY and event.get("referral_source") is not None:
                ad = event.get("ad_id")
                link = None if ad else tuple(event.get(name) for name in ("ref", "post_id", "product_id"))
                clicks.setdefault((ad, link), []).append(event)
        for (ad, _), referrals in clicks.items():
            found += _joined(person, ad, referrals, rules)
    return found


def _joined(person: Person, ad: str | None, referrals: list[Row], rules: Rules) -> list[Row]:
    found: list[Row] = []
    previous: datetime | None = None
    for event in sorted(referrals, key=lambda event: event["occurred_at"]):
        at = event["occurred_at"]
        if previous is None or at - previous > rules.touch_gap:
            touch_type = "link" if ad is None else "ad"
            found.append(
                {"person": person, "touched_at": at, "ad_id": ad, "ref": None, "touch_type": touch_type}
            )
        # Every referral of an ad that has a ref has the same one.
        found[-1]["ref"] = found[-1]["ref"] or event.get("ref")
        previous = at
    return found


def conversations(facts: Facts, rules: Rules, arrivals: list[Row]) -> list[Row]:
    """Cut each person's activity at first sight, at every touch, and after silence."""
    found = []
    for person, events in facts.events.items():
        activity = sorted(
            (event for event in events if event["event_type"] in ACTIVITY),
            key=lambda event: (event["occurred_at"], event["event_type"] == "echo"),
        )
        own = [touch for touch in arrivals if touch["person"] == person]
        openings = _openings(activity, own, rules)
        for opened_at, next_opened_at in zip(openings, [*openings, None][1:], strict=True):
            inside = [
                event
                for event in activity
                if opened_at <= event["occurred_at"]
                and (next_opened_at is None or event["occurred_at"] < next_opened_at)
            ]
            openers = [touch for touch in own if touch["touched_at"] == opened_at]
            found.append(
                {"person": person, "opened_at": opened_at, "next_opened_at": next_opened_at, "events": inside}
                | _opener(openers, inside)
                | _timeline(inside, activity, rules)
            )
    return found


def _openings(activity: list[Row], own: list[Row], rules: Rules) -> list[datetime]:
    openings = {touch["touched_at"] for touch in own}
    previous: datetime | None = None
    for event in activity:
        if previous is None or event["occurred_at"] - previous >= rules.conversation_gap:
            openings.add(event["occurred_at"])
        previous = event["occurred_at"]
    return sorted(openings)


def _opener(openers: list[Row], inside: list[Row]) -> Row:
    ads = [touch for touch in openers if touch["touch_type"] == "ad"]
    if openers:
        touch = max(ads or openers, key=lambda touch: (touch["ad_id"] or "", touch["ref"] or ""))
        return {"opened_by": touch["touch_type"], "ad_id": touch["ad_id"], "ref": touch["ref"]}
    opened_by = "business" if inside[0]["event_type"] == "echo" else "contact"
    return {"opened_by": opened_by, "ad_id": None, "ref": None}


def _timeline(inside: list[Row], activity: list[Row], rules: Rules) -> Row:
    written = [event["occurred_at"] for event in inside if event["event_type"] in WRITTEN]
    sent = [event for event in inside if event["event_type"] == "echo"]
    replies = [event for event in sent if written and event["occurred_at"] >= written[0]]
    human = [event["occurred_at"] for event in replies if responder(event, activity, rules) == "human"]
    first_response_at = replies[0]["occurred_at"] if replies else None
    first_human_response_at = human[0] if human else None
    return {
        "first_inbound_at": written[0] if written else None,
        "last_inbound_at": written[-1] if written else None,
        "last_event_at": inside[-1]["occurred_at"],
        "first_response_at": first_response_at,
        "first_response_seconds": _seconds(written, first_response_at),
        "first_human_response_at": first_human_response_at,
        "first_human_response_seconds": _seconds(written, first_human_response_at),
        "messages_in": len(written),
        "messages_out": len(sent),
        "engaged": bool(written),
        "answered": bool(replies),
        "window_closes_at": written[-1] + rules.messaging_window if written else None,
        "outside_window": _is_outside(sent, activity, rules),
    }


def _seconds(written: list[datetime], answered_at: datetime | None) -> float | None:
    return None if answered_at is None else (answered_at - written[0]).total_seconds()


def _last_written(event: Row, activity: list[Row]) -> datetime | None:
    before = [
        other["occurred_at"]
        for other in activity
        if other["event_type"] in WRITTEN and other["occurred_at"] <= event["occurred_at"]
    ]
    return max(before, default=None)


def _is_outside(sent: list[Row], activity: list[Row], rules: Rules) -> bool:
    """Say whether anything was sent after a window that had been open."""
    written = [_last_written(event, activity) for event in sent]
    return any(
        written_at is not None and event["occurred_at"] > written_at + rules.messaging_window
        for event, written_at in zip(sent, written, strict=True)
    )


def responder(event: Row, activity: list[Row], rules: Rules) -> str:
    """Say who sent an outbound event."""
    if event["responder"] == "human" or event.get("app_id") in rules.human_apps:
        return "human"
    if event["responder"] == "bot" or event.get("app_id") in rules.bot_apps:
        return "bot"
    written_at = _last_written(event, activity)
    is_instant = written_at is not None and event["occurred_at"] - written_at < rules.instant_reply
    return "bot" if is_instant else "unknown"


def turns(found: list[Row], rules: Rules) -> list[Row]:
    """Cut each conversation into runs of inbound messages, each with what was sent before the next run."""
    rows = []
    for conversation in found:
        runs: list[tuple[list[Row], list[Row]]] = []
        for event in conversation["events"]:
            if event["event_type"] in WRITTEN:
                if not runs or runs[-1][1]:
                    runs.append(([], []))
                runs[-1][0].append(event)
            elif event["event_type"] == "echo" and runs:
                runs[-1][1].append(event)
        for number, (written, sent) in enumerate(runs):
            rows.append(_turn(conversation, written, sent, number == 0, rules))
    return rows


def _turn(conversation: Row, written: list[Row], sent: list[Row], is_first: bool, rules: Rules) -> Row:
    senders = [responder(event, conversation["events"], rules) for event in sent]
    human = [event["occurred_at"] for event, sender in zip(sent, senders, strict=True) if sender == "human"]
    started_at = written[0]["occurred_at"]
    responded_at = sent[0]["occurred_at"] if sent else None
    return {
        "person": conversation["person"],
        "opened_at": conversation["opened_at"],
        "turn_started_at": started_at,
        "responded_at": responded_at,
        "human_responded_at": human[0] if human else None,
        "responders": {
            sender
            for event, sender in zip(sent, senders, strict=True)
            if event["occurred_at"] == responded_at
        },
        "messages_in": len(written),
        "messages_out": len(sent),
        "is_first": is_first,
        "response_seconds": _seconds([started_at], responded_at),
        "human_response_seconds": _seconds([started_at], human[0] if human else None),
    }


def wait(conversation: Row, facts: Facts, *, human: bool = False) -> tuple[float, bool]:
    """Return the seconds that an engaged conversation waited, and whether its end was seen."""
    answered = conversation["first_human_response_seconds" if human else "first_response_seconds"]
    if answered is not None:
        return answered, True
    started_at = conversation["first_inbound_at"]
    ends = [facts.as_of]
    for gap_started_at, gap_ended_at in facts.gaps:
        if gap_ended_at > started_at:
            ends.append(max(gap_started_at, started_at))  # who wrote during a gap was not watched at all
    if conversation["next_opened_at"] is not None:
        ends.append(conversation["next_opened_at"])
    return (min(ends) - started_at).total_seconds(), False
