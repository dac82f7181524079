"""What every chart owes its reader, whatever the data are and whatever an ad is called."""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctm_analytics import charts
from ctm_analytics.charts.interval_rows import MOST_ROWS

from . import frames

# Every chart that draws what somebody else has named: a function of a list of names.
NAMED = {
    "cac_by_ad": lambda names: charts.cac_by_ad(frames.ads(names), target_cac=9.0),
    "conversion_by_ad": lambda names: charts.conversion_by_ad(frames.ads(names)),
    "models_by_ad": lambda names: charts.models_by_ad(frames.attribution(names), window_days=7),
    "cohort_curves": lambda names: charts.cohort_curves(frames.cohorts(names)),
    "waits_by_group": lambda names: charts.waits_by_group(frames.latency(names)),
    "waterfall": lambda names: charts.waterfall(frames.stages(names)),
    "badge_test": lambda names: charts.badge_test(frames.badge(names)),
    "spend_moves": lambda names: charts.spend_moves(frames.outlook(names), effect=(6.0, 2.0, 9.0)),
    "two_ads": lambda names: charts.two_ads(frames.pair(*names[:1] * 2)) if names else None,
}
NOTHING_SOLD = {
    "cac_by_ad": lambda names: charts.cac_by_ad(frames.ads(names, new_customers=0)),
    "conversion_by_ad": lambda names: charts.conversion_by_ad(frames.ads(names, new_customers=0)),
    "models_by_ad": lambda names: charts.models_by_ad(
        frames.attribution(names, new_customers=0), window_days=7
    ),
}
HOSTILE = [
    "<b>bold</b>",
    '<a href="https://example.org">link</a>',
    "<br>",
    "&lt;i&gt;",
    "%{x} %{customdata[0]}",
    "$5 off, now $4",
    "🎉 إعلان الربيع",
    "Long " * 80,
    "Unbroken" * 40,
]
LONGEST_TEXT = 260


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a figure's JSON with its place; what is not drawn is left out."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in ("template", "finding"):
                yield from texts(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from texts(each, path)
    elif isinstance(value, str):
        yield path, value


def as_json(figure: go.Figure) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(pio.to_json(figure, engine="json"), parse_constant=refuse)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("chart", NAMED)
def test_a_name_is_shown_as_it_is_and_never_obeyed(chart: str, name: str) -> None:
    for place, text in texts(as_json(NAMED[chart]([name]))):
        assert "<a" not in text, place
        assert "<b>bold" not in text, place
        assert "<i>" not in text, place
        assert "%{x}" not in text or place != ".data.hovertemplate", place


@pytest.mark.parametrize("chart", sorted(NAMED.keys() - {"waterfall"}))
def test_markup_in_a_name_reaches_the_reader_in_letters(chart: str) -> None:
    drawn = [text for _, text in texts(as_json(NAMED[chart](["<b>bold</b>"])))]
    assert any("&lt;b&gt;bold&lt;/b&gt;" in text for text in drawn)


@pytest.mark.parametrize("chart", NAMED)
def test_a_long_name_is_cut_where_it_is_drawn(chart: str) -> None:
    figure = as_json(NAMED[chart](["Unbroken" * 40]))
    assert max(len(text) for _, text in texts(figure["layout"])) < LONGEST_TEXT
    lines = figure["layout"]["title"]["text"].split("<br>")
    assert max(len(line) for line in lines) <= 100


@pytest.mark.parametrize("chart", NAMED)
def test_three_hundred_ads_stay_readable(chart: str) -> None:
    figure = NAMED[chart]([f"Ad {place}" for place in range(300)])
    ticks = figure.layout.yaxis.ticktext
    if chart != "badge_test":  # an account is somebody's own: all are drawn
        assert ticks is None or len(ticks) <= MOST_ROWS
        assert len(figure.data) <= 2 * MOST_ROWS
        assert figure.layout.height <= 1500


@pytest.mark.parametrize("chart", sorted(NAMED.keys() - {"two_ads"}))
def test_no_rows_give_a_sentence_and_no_axes(chart: str) -> None:
    figure = NAMED[chart]([])
    assert figure.layout.meta["nothing"] is True
    assert [words.text for words in figure.layout.annotations] == [figure.layout.title.text]
    assert as_json(figure)["data"] == []


@pytest.mark.parametrize("chart", NOTHING_SOLD)
@pytest.mark.parametrize("size", [1, 300])
def test_without_a_single_sale_there_is_a_figure_without_nan(chart: str, size: int) -> None:
    figure = as_json(NOTHING_SOLD[chart]([f"Ad {place}" for place in range(size)]))
    assert "nan" not in " ".join(text.lower() for _, text in texts(figure))


@pytest.mark.parametrize("chart", NAMED)
@settings(max_examples=8)
@given(names=st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_whatever_the_names_the_figure_is_json_without_markup_of_theirs(chart: str, names: list[str]) -> None:
    ours = ("<b>", "</b>", "<br>", "<extra>", "</extra>", "<span", "</span>")
    for place, text in texts(as_json(NAMED[chart]([f"<x>{name}" for name in names]))):
        for markup in ours:
            text = text.replace(markup, "")
        assert "<x" not in text, place


@pytest.mark.parametrize("chart", NAMED)
def test_a_chart_says_its_finding_and_the_units_of_its_axes(chart: str) -> None:
    figure = NAMED[chart](["Reel", "Static"])
    assert figure.layout.meta["finding"].endswith(".")
    titles = [axis.title.text for axis in figure.select_xaxes() if axis.title.text]
    assert titles
    for axis in figure.select_xaxes():
        assert axis.type != "log" or axis.ticktext, "the default prints bare 2, 3, 5"


@pytest.mark.parametrize("chart", NAMED)
def test_a_chart_has_a_layout_for_phones(chart: str) -> None:
    assert NAMED[chart](["Reel", "Static"]).layout.meta["narrow"]


def test_no_two_marks_of_a_chart_differ_by_colour_alone() -> None:
    for figure in (
        charts.models_by_ad(frames.attribution(["Reel"]), window_days=7),
        charts.cohort_curves(frames.cohorts(["a", "b", "c"])),
    ):
        marks = [
            (trace.marker.symbol, trace.line.dash)
            for trace in figure.data
            if trace.showlegend is not False and "markers" in trace.mode
        ]
        assert len(set(marks)) == len(marks) > 1


def test_tables_keep_columns_that_people_can_read() -> None:
    one = ["Reel"]
    tables = [
        charts.cac_table(frames.ads(one)),
        charts.conversion_table(frames.ads(one)),
        charts.models_table(frames.attribution(one), window_days=7),
        charts.cohort_table(frames.cohorts(one)),
        charts.waits_table(frames.latency(one)),
        charts.waterfall_table(frames.stages(one)),
        charts.badge_table(frames.badge(one)),
        charts.two_ads_table(frames.pair()),
        charts.moves_table(frames.outlook(one)),
        charts.speed_table(frames.effects((5, 0.1, 0.0, 0.2, 30, 30))),
    ]
    for table in tables:
        assert isinstance(table, pd.DataFrame)
        assert len(table) >= 1
        assert not table.columns.duplicated().any()
        assert not {"ad_id", "campaign_id"} & set(table.columns)
