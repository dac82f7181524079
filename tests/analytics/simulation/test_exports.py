from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctm_analytics.imports import ImportSummary, import_contacts, import_sales, import_spend
from ctm_analytics.settings import Settings
from ctm_analytics.simulation.business import PERIOD_DAYS, TIMEZONE
from ctm_analytics.simulation.exports import Exports, write_exports
from ctm_analytics.simulation.period import utc
from ctm_analytics.simulation.spending import spend_days
from ctm_analytics.simulation.world import World


@pytest.fixture
def exports(shop: World, tmp_path: Path) -> Exports:
    (tmp_path / "source").mkdir()
    return write_exports(shop, tmp_path / "source")


def imported(import_file: Callable[..., ImportSummary], file: Path, data: Path) -> list[dict[str, Any]]:
    """What the real import makes of a file, in the order of its rows."""
    settings = Settings(reporting_timezone=TIMEZONE)
    summary = import_file(file, data, settings=settings, imported_at=datetime.now(UTC))
    table: pa.Table = pq.read_table(data / "imports" / summary.kind / f"{summary.import_id}.parquet")
    return sorted(table.to_pylist(), key=lambda row: row["source_line"])


def cents(amount: Any) -> int:
    return int(amount * 100)


def test_the_order_files_hold_every_sale_once(shop: World, exports: Exports, tmp_path: Path) -> None:
    rows = [row for file in exports.sales for row in imported(import_sales, file, tmp_path)]
    told = {
        row["sale_id"]: (
            row["sold_at"].replace(tzinfo=UTC),
            cents(row["gross_amount"]),
            cents(row["refunded_amount"]),
            row["status"],
            row["contact_id"] or "",
            row["ref"] or "",
            row["ad_id"] or "",
        )
        for row in rows
    }
    assert len(rows) == len(told)
    assert told == {
        sale.sale_id: (
            utc(sale.sold_at),
            sale.gross_cents,
            sale.refunded_cents,
            "cancelled" if sale.is_cancelled else "won",
            sale.written_contact_id,
            sale.ref,
            sale.ad_id,
        )
        for sale in shop.sales
    }


def test_an_order_names_its_buyer_as_the_evidence_needs(
    shop: World, exports: Exports, tmp_path: Path
) -> None:
    sales = {sale.sale_id: sale for sale in shop.sales}
    wa_ids = {event.contact.contact_id for event in shop.events if event.contact.platform == "whatsapp"}
    emails = [row["email"] for row in imported(import_contacts, exports.contacts, tmp_path)]
    for row in (row for file in exports.sales for row in imported(import_sales, file, tmp_path)):
        evidence = sales[row["sale_id"]].evidence
        is_a_wa_id = (row["phone"] or "").removeprefix("+") in wa_ids
        in_contacts = emails.count(row["email"])
        if evidence == "phone":
            assert (is_a_wa_id, in_contacts) == (True, 0)
        if evidence == "identity":
            assert in_contacts == 1
        if evidence in ("ad_id", "unmatched"):
            assert (is_a_wa_id, in_contacts, row["ref"]) == (False, 0, None)
        if evidence == "ambiguous":
            assert in_contacts == 2 or row["ref"]


def test_the_second_spend_file_restates_the_last_week(shop: World, exports: Exports, tmp_path: Path) -> None:
    first, second = (imported(import_spend, file, tmp_path) for file in exports.spend)
    final = {(shop.period.day_at(one.day), one.ad.ad_id): one.spend_cents for one in spend_days(shop)}
    spend = {(row["day"], row["ad_id"]): cents(row["spend"]) for row in first}
    restated = {(row["day"], row["ad_id"]): cents(row["spend"]) for row in second}
    assert spend | restated == final
    assert {day for day, _ in restated} == {
        shop.period.day_at(day) for day in range(PERIOD_DAYS - 7, PERIOD_DAYS)
    }
    assert all(cents > spend[key] for key, cents in restated.items())


def test_the_first_row_of_a_spend_file_is_the_totals(exports: Exports) -> None:
    for file in exports.spend:
        header, totals, *_ = file.read_text(encoding="utf-8-sig").splitlines()
        assert header.startswith("Day,Campaign name,Campaign ID")
        assert totals.startswith(",,,,,,,")


def test_a_shopify_order_of_two_products_has_two_rows(exports: Exports, shop: World) -> None:
    text = exports.sales[0].read_text(encoding="utf-8-sig")
    orders = sum(sale.sale_id.startswith("#") for sale in shop.sales)
    assert orders < text.count("KH-") < 2 * orders
