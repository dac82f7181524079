"""The columns of the contract, and one answer for one question, whether typed or called."""

import json

import pytest

import ctm_analytics
from ctm_analytics.columns import column_of

AS_OF = "2026-11-30T00:00:00+00:00"

# docs and contract
ADS = (
    *("spend", "currency", "impressions", "link_clicks", "reported_conversations"),
    *("conversations", "opened_silently", "engaged", "answered"),
    *("conversions", "conversion_rate", "conversion_rate_low", "conversion_rate_high"),
    *("matured_conversion_rate", "immature"),
    *("sales", "new_customers", "revenue", "average_sale"),
    *("cost_per_conversation", "cost_per_sale", "cac", "cac_low", "cac_high"),
    *("cac_shrunk", "cac_shrunk_low", "cac_shrunk_high", "p_below_target", "verdict"),
    *("expected_new_customers", "matured_cac", "verdict_on"),
    *("roas", "median_first_response_seconds", "answered_within_24h", "coverage"),
)
CONVERSATIONS = (
    *("conversation_id", "platform", "account_id", "contact_id", "opened_at", "opened_by", "ad_id", "ref"),
    *("first_inbound_at", "first_response_at", "first_response_seconds"),
    *("first_human_response_at", "first_human_response_seconds", "last_inbound_at", "last_event_at"),
    *("messages_in", "messages_out", "engaged", "answered", "window_closes_at", "outside_window"),
    *("sales", "revenue"),
)
KEYS = {
    "ad": ("ad_id", "ad_name", "adset_id", "adset_name", "campaign_id", "campaign_name"),
    "adset": ("adset_id", "adset_name", "campaign_id", "campaign_name"),
    "campaign": ("campaign_id", "campaign_name"),
    "platform": ("platform",),
    "day": ("day",),
    "week": ("week",),
}


@pytest.fixture
def rows(ctm, shop):
    """Ask as a program would, and read the records."""

    def ask(*arguments):
        run = ctm(*arguments, "--data", shop, "--as-of", AS_OF, "--format", "json")
        assert run.exit_code == 0, run.stderr
        return json.loads(run.stdout)

    return ask


@pytest.mark.parametrize("by", KEYS)
def test_ads_has_the_columns_of_the_contract_whatever_it_is_grouped_by(rows, by):
    for row in rows("ads", "--by", by):
        assert tuple(row) == (*KEYS[by], *ADS)


def test_conversations_has_the_columns_of_the_contract(rows):
    assert {tuple(row) for row in rows("conversations")} == {CONVERSATIONS}


def test_ads_counts_what_happened(rows):
    by_ad = {row["ad_id"]: row for row in rows("ads")}
    assert set(by_ad) == {"101", "102", None}
    sold, unpaid, uncredited = by_ad["101"], by_ad["102"], by_ad[None]
    assert (sold["spend"], sold["engaged"], sold["new_customers"], sold["cac"], sold["revenue"]) == (
        *("50.00", 1, 1.0, 50.0, "80.00"),
    )
    assert (unpaid["spend"], unpaid["conversations"], unpaid["answered"]) == (None, 1, 0)
    assert (uncredited["conversations"], uncredited["revenue"], uncredited["roas"]) == (1, "19.90", None)


FILTERS = (
    {"since": "2026-11-02", "until": "2026-11-02"},
    {"platform": "whatsapp"},
    {"account": "page-1", "platform": "messenger"},
    {"campaign": "Shoes, winter"},
    {"ad": "101"},
)
ASKED = [("ads", filters) for filters in FILTERS] + [
    (name, FILTERS[-1]) for name in ("latency", "conversations", "funnel")
]


@pytest.mark.parametrize(
    ("question", "filters"), ASKED, ids=lambda part: part if isinstance(part, str) else " ".join(part)
)
def test_a_filter_means_the_same_on_the_command_line_and_in_python(rows, shop, question, filters):
    typed = [word for name, value in filters.items() for word in (f"--{name}", value)]
    workbench = ctm_analytics.open(shop, as_of=AS_OF, environ={})
    called = getattr(workbench, question)(**filters).table.to_pylist()
    asked = rows(question, *typed)
    assert asked != rows(question), "the filter leaves something out"
    assert [_numbers(row) for row in asked] == [_numbers(row) for row in called]


def _numbers(row):
    return {name: value for name, value in row.items() if isinstance(value, int | float)}


def test_model_window_and_basis_reach_the_answer(ctm, shop, rows):
    assert rows("ads", "--window-days", "1", "--model", "linear", "--ad", "101")[0]["sales"] == 1.0
    by_day = {row["day"]: row["sales"] for row in rows("ads", "--by", "day", "--basis", "calendar")}
    assert by_day["2026-11-03"] == 1.0
    about = ctm("ads", "--data", shop, "--as-of", AS_OF, "--window-days", "3", "--basis", "calendar").stderr
    assert "last touch, 3 days, calendar" in about


def test_a_later_import_does_not_change_an_earlier_answer(ctm, shop, rows):
    early = ctm("ads", "--data", shop, "--as-of", "2026-11-02T08:30:00+00:00", "--format", "json")
    assert [row["ad_id"] for row in json.loads(early.stdout)] == ["101"]
    assert json.loads(early.stdout)[0]["sales"] == 0.0


def test_a_table_shows_the_chosen_columns_and_the_other_formats_all(ctm, shop, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")

    def headings(*words):
        return ctm("ads", "--data", shop, "--as-of", AS_OF, *words).text.splitlines()[0].split("  ")

    assert "Impressions" in [name.strip() for name in headings("--columns", "delivery")]
    assert "Impressions" not in [name.strip() for name in headings()]
    shown = {name.strip() for name in headings("--columns", "all")} - {""}
    in_their_estimates_cell = {name for name in ADS if name.endswith(("_low", "_high"))}
    labels = {column_of(name).label for name in {*KEYS["ad"], *ADS} - in_their_estimates_cell}
    assert shown == labels | {"95 %", "90 %"}  # the latter is of the shrunk CAC


def test_sql_needs_no_select_and_reads_every_relation(rows):
    assert len(rows("sql", "from conversations")) == 3
    assert rows("sql", "select count(*) as sales from sales") == [{"sales": 2}]


def test_tables_says_what_a_row_is_and_what_each_column_means(ctm, shop):
    listed = json.loads(ctm("tables", "--data", shop, "--format", "json").stdout)
    assert listed[0].keys() == {"table", "column", "type", "meaning"}
    assert all(row["meaning"] for row in listed)
    assert ("conversations", None) in {(row["table"], row["column"]) for row in listed}
    one = json.loads(ctm("tables", "conversations", "--format", "json").stdout)
    assert one == [row for row in listed if row["table"] == "conversations"]


def test_the_data_folder_comes_from_the_environment(ctm, shop, monkeypatch):
    monkeypatch.setenv("CTM_DATA", str(shop))
    assert ctm("funnel", "--as-of", AS_OF).exit_code == 0


@pytest.mark.parametrize(
    ("by", "columns"),
    [
        ("check", ("check", "status", "count", "share", "detail", "next_step")),
        ("match", ("matched_by", "evidence", "count", "share", "net_amount", "currency")),
        (
            "ad",
            (
                *("ad_id", "ad_name", "first_spend", "spend", "spend_change", "currency"),
                *("restated_days", "restated_at", "sales", "unmatched_sales", "match_rate_low"),
                *("paid_new_customers", "unmatched_new_customers", "cac", "cac_if_all"),
            ),
        ),
    ],
)
def test_quality_tells_checks_matches_or_ads(rows, by, columns):
    assert {tuple(row) for row in rows("quality", "--by", by)} == {columns}


def test_what_the_quality_checks_name_as_next_step_can_be_asked(rows):
    for relation in ("ambiguous_sales", "restatements", "sale_matches", "contact_aliases"):
        assert isinstance(rows("sql", f"from {relation}"), list)
