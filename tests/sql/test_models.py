"""Models: found, ordered, bound and composed."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from ctm_analytics.models import all_models, bind, compose, in_order, literal, references


def test_a_model_comes_after_everything_that_it_reads() -> None:
    names = [model.name for model in in_order(["ad_performance"])]
    for place, name in enumerate(names):
        assert set(references(all_models()[name].sql)) - {name} <= set(names[:place])
    assert names[-1] == "ad_performance"


def test_only_what_is_needed_is_composed() -> None:
    aliases = {"contact_aliases", "contact_links", "whatsapp_ids", "id_changes", "id_ties", "told_ids"}
    assert {model.name for model in in_order(["touches"])} == {*aliases, "events", "touches"}


def test_a_reference_in_a_comment_is_none() -> None:
    assert references("select 1 -- from touches\nfrom raw_events") == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 11, 2), "date '2026-11-02'"),
        (datetime(2026, 11, 2, 8, 0, 0, 5), "timestamp '2026-11-02 08:00:00.000005'"),
        (timedelta(minutes=30), "interval '1800.000000 seconds'"),
        ((), "null"),
        (("a", "b'c"), "'a', ('b' || chr(39) || 'c')"),
    ],
)
def test_each_kind_of_value_has_its_literal(value: object, written: str) -> None:
    assert literal(value) == written


def test_a_value_cannot_leave_its_quotes() -> None:
    bound = bind("select :ad", {"ad": "x'; drop table events; --"})
    assert bound == "select ('x' || chr(39) || '; drop table events; --')"


def test_quotes_and_backslashes_are_not_left_to_engines_that_take_them_differently() -> None:
    assert literal("a\\'b\\") == "('a' || chr(92) || '' || chr(39) || 'b' || chr(92) || '')"


def test_text_casts_and_comments_are_left_alone() -> None:
    sql = "-- :ad is a word here\nselect ':ad', day::date, :ad"
    assert bind(sql, {"ad": "1"}) == "-- :ad is a word here\nselect ':ad', day::date, '1'"


def test_a_parameter_that_nobody_gave_is_a_bug() -> None:
    with pytest.raises(KeyError, match="window"):
        bind("select :window", {})


def test_a_query_over_models_is_one_statement() -> None:
    values = {"as_of": datetime(2026, 11, 30)}
    composed = compose("select count(*) from rates", values)
    assert composed.startswith("with rates as (")
    assert composed.endswith("select count(*) from rates")
