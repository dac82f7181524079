from decimal import Decimal

import pytest

from ctm_analytics.imports.kinds import KINDS
from ctm_analytics.imports.presets import presets_of


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_field_of_a_preset_is_one_that_the_kind_casts(kind):
    for preset in presets_of(kind.name):
        assert set(preset.fields) <= set(kind.types)
        for rule in preset.fields.values():
            assert rule.headers
            assert set(rule.alternatives) <= set(preset.fields)


def test_there_are_the_presets_that_the_documentation_names():
    assert {kind: [preset.name for preset in presets_of(kind)] for kind in KINDS} == {
        "sales": ["hubspot", "plain", "salesforce", "shopify", "stripe", "woocommerce"],
        "spend": ["meta_ads_manager", "meta_insights", "plain"],
        "contacts": ["chatwoot", "manychat", "plain"],
        "rates": ["plain"],
    }


@pytest.mark.parametrize(
    ("header", "preset"),
    [
        ("day,ad_id,spend,currency", "plain"),
        ("currency,spend,ad_id,day,ad_name", "plain"),
        ("Day,Ad ID,Amount spent (USD)", "meta_ads_manager"),
        ("DAY,AD ID,AMOUNT SPENT (USD)", "meta_ads_manager"),
        ("Day,Ad ID,Amount spent,Currency", "meta_ads_manager"),
    ],
)
def test_the_preset_that_fits_the_header_is_chosen(importer, header, preset):
    values = {"day": "2026-11-01", "adid": "8", "adname": "x", "currency": "USD"}
    cells = [values.get(name.lower().replace(" ", "").replace("_", ""), "1.00") for name in header.split(",")]
    summary = importer.run("spend", f"{header}\n{','.join(cells)}\n")
    assert summary.preset == preset
    assert summary.why.startswith(f"knows {len(cells)} of {len(cells)} columns (")


def test_a_near_miss_gets_a_question_and_the_option_to_answer_it(importer):
    assert importer.error("spend", "day,ad_id,spnd,currency\n2026-11-01,8,1.00,USD\n") == (
        "file.csv: read as plain spend, but 1 required column is missing.\n"
        '  no column "spend" (field spend). Did you mean "spnd"? Then add --map "spnd=spend".\n'
        '  found: "day", "ad_id", "spnd", "currency"'
    )


def test_a_near_miss_of_a_header_with_a_currency_is_found(importer):
    message = importer.error("spend", "Day,Ad name,Ad ID,Amont spent (USD)\n2026-11-01,x,8,1.00\n")
    assert 'Did you mean "Amont spent (USD)"? Then add --map "Amont spent (USD)=spend".' in message


def test_the_currency_in_a_near_miss_is_not_asked_for(importer):
    message = importer.error("spend", "Day,Ad ID,Amount spend (EUR)\n2026-11-01,8,1.00\n")
    assert message == (
        "file.csv: read as Meta Ads Manager, but 1 required column is missing.\n"
        '  no column "Amount spent (USD)" (field spend). Did you mean "Amount spend (EUR)"?'
        ' Then add --map "Amount spend (EUR)=spend".\n'
        '  found: "Day", "Ad ID", "Amount spend (EUR)"'
    )


def test_a_report_without_ad_ids_says_how_to_get_them(importer):
    assert importer.error("spend", "Day,Ad name,Amount spent (PHP)\n2026-11-01,x,1.00\n") == (
        "file.csv: read as Meta Ads Manager, but 1 required column is missing.\n"
        '  no column "Ad ID" (field ad_id). Names are not unique: add the column Ad ID'
        " (Columns → Customise columns) and export again.\n"
        '  found: "Day", "Ad name", "Amount spent (PHP)"'
    )


def test_a_file_given_to_the_wrong_command_is_recognised(importer):
    message = importer.error("spend", "sale_id,sold_at,gross_amount,currency\n1,2026-11-01 10:00,1.00,USD\n")
    assert message.endswith("\n  It looks like plain sales: use ctm import sales.")


def test_a_mapping_wins_over_the_preset(importer):
    content = "day,ad_id,spend,Net cost (EUR),Impressions\n2026-11-01,8,1.00,2.00,5\n"
    summary = importer.run("spend", content, mapping={"net cost (eur)": "spend"})
    assert (summary.currency, summary.total_amount, summary.unused_columns) == (
        "EUR",
        Decimal("2.00"),
        ("spend",),
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"preset": "shopfy"},
            "preset: 'shopfy' is no preset for sales. Did you mean 'shopify'?"
            " Use one of auto, hubspot, plain, salesforce, shopify, stripe, woocommerce.",
        ),
        (
            {"preset": "plain", "mapping": {"amout": "gross_amount"}},
            "mapping: file.csv has no column 'amout'. Did you mean 'amount'? Its columns: id, amount.",
        ),
        (
            {"preset": "shopify", "mapping": {"amount": "gros_amount"}},
            "mapping: 'gros_amount' is no field of sales. Did you mean 'gross_amount'? Use one of account_id,"
            " ad_id, cancelled_at, contact_id, currency, customer_id, email, gross_amount, is_new_customer,"
            " note_attributes, phone, platform, ref, refunded_amount, sale_id, sold_at, status, tags.",
        ),
    ],
)
def test_a_preset_column_or_field_that_does_not_exist_is_named(importer, options, message):
    assert importer.error("sales", "id,amount\n1,2.00\n", **options) == message


def test_any_stored_field_can_be_mapped_whatever_the_preset(importer):
    content = "Name,Created at,Total,Currency,Buyer\n#1,2026-11-01 10:00:00 +0000,5.00,USD,c-1\n"
    assert importer.run("sales", content, mapping={"Buyer": "customer_id"}).preset == "shopify"
    assert importer.column("sales", "customer_id") == ["c-1"]


def test_two_columns_mapped_to_one_field_are_refused(importer):
    content = "day,ad_id,net,gross,currency\n2026-11-01,8,1.00,1.20,USD\n"
    assert importer.error("spend", content, mapping={"net": "spend", "gross": "spend"}).startswith(
        'file.csv: 2 columns hold the field spend: "net" and "gross".'
    )


def test_a_preset_that_lacks_nothing_wins_over_one_that_knows_more_columns(importer):
    content = (
        "day,ad_id,spend,currency,Reporting starts,Reporting ends\n"
        "2026-11-01,8,1.00,USD,2026-11-01,2026-11-30\n"
    )
    assert importer.run("spend", content).preset == "plain"
