"""Meta's times: milliseconds, seconds, text, ISO 8601, or none."""

import time

import pytest

from receiver.deliveries.instants import microseconds

EARLY = 1_072_915_200


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        (1783075200842, 1783075200842000),
        (1665424533, 1665424533000000),
        ("1783075200842", 1783075200842000),
        ("1527459824", 1527459824000000),
        (1458692752478.0, 1458692752478000),
        (1458692752.5, 1458692752500000),
        ("2021-09-08T06:34:04+0000", 1631082844000000),
        ("2021-09-08T08:34:04.25+02:00", 1631082844250000),
        ("2021-09-08T06:34:04", 1631082844000000),
        (EARLY, EARLY * 1_000_000),
    ],
)
def test_a_time_is_read_in_whatever_form_it_comes(written, instant):
    assert microseconds(written) == instant


@pytest.mark.parametrize("written", [200_000_000_000, "200000000000"])
def test_below_1e12_a_number_counts_seconds(written):
    assert microseconds(written) == 200_000_000_000_000_000


def test_from_1e12_on_a_number_counts_milliseconds():
    assert microseconds(1_100_000_000_000) == 1_100_000_000_000_000


@pytest.mark.parametrize(
    "written",
    [None, True, "", "soon", {}, [], -1, "-1", 0, 12341, EARLY - 1, 1e308, -1e308, 10**4000, "9" * 16, "9" * 5000,
     253370764800, "9999-12-31T00:00:00", "0001-01-01T00:00:00+23:59"],
)  # fmt: skip
def test_an_absurd_time_is_none(written):
    assert microseconds(written) is None


def test_a_time_without_a_zone_is_utc_wherever_the_receiver_runs(monkeypatch):
    monkeypatch.setenv("TZ", "America/Lima")
    time.tzset()
    try:
        assert microseconds("2021-09-08T06:34:04") == 1631082844000000
    finally:
        monkeypatch.undo()
        time.tzset()


def test_lead_ads_tell_seconds_beside_an_entry_in_milliseconds(samples):
    (event,) = samples.events("meta-docs/fb-lead-complete.json")
    assert event.occurred_at == 1665424533000000


def test_an_item_without_a_time_has_the_delivery_s(samples):
    (event,) = samples.events("meta-docs/fb-delivery.json")
    assert event.occurred_at == 1783075200842000


@pytest.mark.parametrize("timestamp", [-5, 10**18, "never"])
def test_an_item_with_an_absurd_time_has_the_delivery_s(samples, timestamp):
    item = samples.item(message={"mid": "m_1"}, timestamp=timestamp)
    (event,) = samples.read(samples.page(item))
    assert event.occurred_at == 1783075200842000


def test_without_any_time_it_happened_when_it_was_received(samples):
    item = samples.item(message={"mid": "m_1"}, timestamp=None)
    (event,) = samples.read(samples.page(item, time=-1))
    assert event.occurred_at == event.received_at == 1_795_000_000_000_000
