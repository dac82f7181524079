"""The columns of every file that the analysis reads: docs/data-contract.md, as Arrow schemas."""

import pyarrow as pa

INSTANT = pa.timestamp("us")
# Three decimals, for the currencies that have them (KWD, BHD, …).
MONEY = pa.decimal128(18, 3)
RATE = pa.decimal128(18, 8)

ORIGIN = [
    ("import_id", pa.string()),
    ("imported_at", INSTANT),
    ("source_file", pa.string()),
    ("source_line", pa.int64()),
]

EVENTS = pa.schema(
    [
        ("event_id", pa.string()),
        ("platform", pa.string()),
        ("account_id", pa.string()),
        ("contact_id", pa.string()),
        ("contact_key", pa.int64()),
        ("event_type", pa.string()),
        ("direction", pa.string()),
        ("occurred_at", INSTANT),
        ("received_at", INSTANT),
        ("message_id", pa.string()),
        ("message_type", pa.string()),
        ("referral_source", pa.string()),
        ("referral_type", pa.string()),
        ("ad_id", pa.string()),
        ("ref", pa.string()),
        ("post_id", pa.string()),
        ("product_id", pa.string()),
        ("flow_id", pa.string()),
        ("ad_title", pa.string()),
        ("ctwa_clid", pa.string()),
        ("app_id", pa.string()),
        ("responder", pa.string()),
        ("standby", pa.bool_()),
        ("status", pa.string()),
        ("pricing_category", pa.string()),
        ("text_length", pa.int32()),
        ("payload", pa.string()),
        ("delivery_id", pa.string()),
    ]
)

HEARTBEATS = pa.schema([("receiver_id", pa.string()), ("started_at", INSTANT), ("beat_at", INSTANT)])

SALES = pa.schema(
    [
        ("sale_id", pa.string()),
        ("sold_at", INSTANT),
        ("gross_amount", MONEY),
        ("refunded_amount", MONEY),
        ("currency", pa.string()),
        ("customer_id", pa.string()),
        ("email", pa.string()),
        ("phone", pa.string()),
        ("platform", pa.string()),
        ("account_id", pa.string()),
        ("contact_id", pa.string()),
        ("ref", pa.string()),
        ("ad_id", pa.string()),
        ("status", pa.string()),
        ("is_new_customer", pa.bool_()),
        *ORIGIN,
    ]
)

SPEND = pa.schema(
    [
        ("day", pa.date32()),
        ("ad_id", pa.string()),
        ("spend", MONEY),
        ("currency", pa.string()),
        ("ad_name", pa.string()),
        ("adset_id", pa.string()),
        ("adset_name", pa.string()),
        ("campaign_id", pa.string()),
        ("campaign_name", pa.string()),
        ("impressions", pa.int64()),
        ("link_clicks", pa.int64()),
        ("reported_conversations", pa.int64()),
        ("is_estimated", pa.bool_()),
        *ORIGIN,
    ]
)

CONTACTS = pa.schema(
    [
        ("contact_id", pa.string()),
        ("platform", pa.string()),
        ("account_id", pa.string()),
        ("customer_id", pa.string()),
        ("email", pa.string()),
        ("phone", pa.string()),
        *ORIGIN,
    ]
)

RATES = pa.schema([("day", pa.date32()), ("currency", pa.string()), ("rate", RATE), *ORIGIN])

# How much an ad's removal would cost, in millionths of the greatest; made by the workbench, not read from disk.
REMOVAL_EFFECTS = pa.schema(
    [("window_days", pa.int64()), ("ad_id", pa.string()), ("removal_effect_millionths", pa.int64())]
)

IMPORTS = {"sales": SALES, "spend": SPEND, "contacts": CONTACTS, "rates": RATES}
