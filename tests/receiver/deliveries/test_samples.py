"""All 353 public sample bodies, against what a person read in each."""

import json
from datetime import datetime, timedelta

import pytest

from receiver.deliveries import COLUMNS

PYTHON_TYPES = {"string": str, "int64": int, "int32": int, "bool": bool, "timestamp": int}


def test_every_sample_is_reviewed(samples, expected_rows):
    assert len(samples.bodies) == 353
    assert set(expected_rows) == set(samples.bodies)


def test_every_sample_says_what_a_person_read_in_it(samples, expected_rows):
    differing = {}
    for file, expected in expected_rows.items():
        found = [{key: written(event, key) for key in expected[0]} for event in samples.events(file)]
        if found != expected:
            differing[file] = (found, expected)
    assert differing == {}


def written(event, column):
    """A value as the table writes it."""
    value = getattr(event, column)
    if column == "standby":
        return "true" if value else None
    if column == "occurred_at":
        instant = datetime(1970, 1, 1) + timedelta(microseconds=value)
        return (
            None
            if value == event.received_at
            else instant.isoformat(timespec="milliseconds").removesuffix(".000") + "Z"
        )
    return None if value is None else str(value)


def test_every_row_of_every_sample_has_the_types_of_the_contract(samples):
    for file in samples.bodies:
        events = samples.events(file)
        assert events, file
        for event in events:
            for (name, kind), value in zip(COLUMNS, event, strict=True):
                assert value is None or type(value) is PYTHON_TYPES[kind], (file, name)
            assert all((event.event_id, event.event_type, event.payload, event.delivery_id))
            assert event.direction in ("inbound", "outbound", None)
            assert (event.direction == "outbound") == (event.responder is not None), file
            assert (event.contact_id is None) == (event.contact_key is None)
            json.loads(event.payload)


@pytest.mark.parametrize("platform", ["messenger", "instagram", "whatsapp"])
def test_a_platform_is_named_by_the_object_of_the_delivery(samples, platform):
    objects = {"messenger": "page", "instagram": "instagram", "whatsapp": "whatsapp_business_account"}
    for file, body in samples.bodies.items():
        if body["object"] == objects[platform]:
            assert {event.platform for event in samples.events(file)} == {platform}
