"""What the Marketing API answers, saved as JSON lines."""

import gzip
import json
from datetime import date
from decimal import Decimal

import pytest

ROW = {
    "ad_id": "8",
    "spend": "1.50",
    "account_currency": "USD",
    "date_start": "2026-11-01",
    "date_stop": "2026-11-01",
}


def lines(*rows):
    return "".join(json.dumps(ROW | row) + "\n" for row in rows)


def test_insights_give_one_row_per_day_and_ad(importer, sample):
    summary = importer.run("spend", sample("insights.jsonl"))
    names = ("day", "ad_id", "spend", "impressions", "link_clicks", "reported_conversations", "source_line")
    assert [tuple(row[name] for name in names) for row in importer.rows("spend")] == [
        (date(2026, 11, 1), "120226305854810123", Decimal("1012.34"), 40000, 1100, 88, 1),
        (date(2026, 11, 1), "120226305854810124", Decimal("152.29"), 8120, 104, None, 2),
        (date(2026, 11, 2), "120226305854810125", Decimal("0.00"), None, None, None, 4),
    ]
    assert (summary.preset, summary.format, summary.rows_read) == ("meta_insights", "JSON lines", 3)
    assert summary.unused_columns == ("account_id", "reach", "outbound_clicks")
    assert importer.column("spend", "ad_name")[1] == 'Größe "M"'


def test_an_id_written_as_a_number_keeps_its_digits(importer):
    importer.run("spend", lines({"ad_id": 120226305854810127, "spend": 1.1}))
    assert [(row["ad_id"], row["spend"]) for row in importer.rows("spend")] == [
        ("120226305854810127", Decimal("1.10"))
    ]


def test_a_zero_is_not_unknown_whether_written_as_text_or_not(importer):
    name = "onsite_conversion.messaging_conversation_started_7d"
    zeros = [{"actions": [{"action_type": name, "value": zero}], "ad_id": str(zero)} for zero in (0, "0.0")]
    importer.run("spend", lines(*zeros))
    assert importer.column("spend", "reported_conversations") == [0, 0]


def test_breakdowns_of_a_day_are_added_up(importer):
    importer.run("spend", lines({"publisher_platform": "facebook"}, {"publisher_platform": "instagram"}))
    assert importer.column("spend", "spend") == [Decimal("3.00")]


def test_compressed_insights_are_read(importer):
    assert importer.run("spend", gzip.compress(lines({}).encode())).format == "JSON lines, gzip"


def test_a_line_that_is_no_object_is_a_bad_row(importer):
    rejects = importer.folder / "rejects.jsonl"
    content = lines({}) + '{"ad_id": \n[]\n' + lines({"spend": "twelve"})
    assert importer.error("spend", content, rejects=rejects) == (
        "file.csv: 1 of 4 rows fit, 3 do not (nothing imported; --max-errors 3 to import the others).\n"
        "  line 2  –                not a JSON object: Expecting value at column 1\n"
        "  line 3  –                not a JSON object: it is a list or a single value\n"
        '  line 4  spend  "twelve"  not a number'
    )
    last = rejects.read_text().splitlines()[-1]
    assert json.loads(last) == {"reason": 'spend "twelve" not a number'} | ROW | {"spend": "twelve"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{\n  "data": [',
            "file.csv: line 1 is not a JSON object: Expecting property name enclosed in double quotes at column 1."
            " Write one object per line, e.g. with jq -c '.data[]'.",
        ),
        (
            "[]",
            "file.csv: line 1 is not a JSON object: it is a list or a single value."
            " Write one object per line, e.g. with jq -c '.data[]'.",
        ),
        (
            '{"data": [], "paging": {}}',
            "file.csv: line 1 is not a JSON object: it is a page of objects."
            " Write one object per line, e.g. with jq -c '.data[]'.",
        ),
        (
            "[" * 100_000,
            "file.csv: line 1 is not a JSON object: nested too deeply."
            " Write one object per line, e.g. with jq -c '.data[]'.",
        ),
        (b'{"ad_name": "\xff"}', "file.csv: this is not JSON in UTF-8."),
    ],
)
def test_what_is_no_json_lines_is_refused_in_one_sentence(importer, content, message):
    assert importer.error("spend", content) == message


def test_insights_over_several_days_are_refused_with_the_way_out(importer):
    assert "Ask for time_increment=1." in importer.error("spend", lines({"date_stop": "2026-11-30"}))


def test_insights_without_a_currency_say_how_to_get_it(importer):
    row = {name: value for name, value in ROW.items() if name != "account_currency"}
    message = importer.error("spend", json.dumps(row), preset="meta_insights")
    assert "Ask for the field account_currency, or say it: --currency USD." in message
