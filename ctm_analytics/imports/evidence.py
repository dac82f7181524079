"""What a whole file shows about how it writes numbers, dates and ids, gathered a block at a time."""

from collections import Counter
from collections.abc import Mapping

import pyarrow.compute as pc

from ctm_analytics.currencies import THOUSANDTHS_CURRENCIES, WHOLE_CURRENCIES
from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.casting import ROUNDED_ID
from ctm_analytics.imports.faults import shown
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.notation import (
    Notation,
    day_first,
    has_open_thousandths,
    order_shown,
    settled_sign,
    sign_shown,
)
from ctm_analytics.imports.options import Options
from ctm_analytics.imports.text_rows import TextRows

# One id in a thousand ends in three zeros by itself; Excel rounds them all.
_ROUNDED_BY_CHANCE = 0.01
_REMEMBERED_TEXTS = 200_000
_JUDGED_CASTS = ("amount", "rate", "count", "tally", "day", "instant", "currency")


class Evidence:
    """What the blocks of one file show together.

    Parameters
    ----------
    layout : Layout
    types : mapping of str to str, field to the name of its cast
    """

    def __init__(self, layout: Layout, types: Mapping[str, str]) -> None:
        self._layout = layout
        self._types = {name: cast for name, cast in types.items() if name in layout.columns}
        self._currencies = {layout.currency} if layout.currency else set()
        self._signs: Counter[str] = Counter()
        # What the amounts show is counted twice: whether their currency has decimals is known at the end.
        self._signs_of_amounts: Counter[str] = Counter()
        self._signs_of_whole_amounts: Counter[str] = Counter()
        self._open_amount = ""
        self._orders: dict[str, str] = {}
        self._ids: Counter[str] = Counter()
        self._rounded_ids: Counter[str] = Counter()
        self._seen: dict[str, set[str]] = {}

    def observe(self, block: TextRows) -> None:
        """Take the texts of a block into account."""
        for name, cast in self._types.items():
            if cast not in (*_JUDGED_CASTS, "id"):
                continue
            texts, _ = block.cells(self._layout.columns[name])
            if cast == "id":
                self._ids[name] += len(texts)
                self._rounded_ids[name] += pc.sum(pc.match_substring_regex(texts, ROUNDED_ID)).as_py() or 0
            else:
                for text in self._new_texts(name, texts.to_pylist()):
                    self._judge(cast, text)

    def rounded_fields(self) -> set[str]:
        """Name the fields whose ids Excel has rounded; a single one among hundreds is chance."""
        return {
            name for name, count in self._ids.items() if self._rounded_ids[name] > count * _ROUNDED_BY_CHANCE
        }

    def notation(self, file: str, options: Options) -> Notation:
        """Settle how the file writes.

        Raises
        ------
        InvalidFile
            If its dates, or amounts in a currency of three decimals, can be read in two ways.
        """
        has_thousandths = bool(self._currencies.intersection(THOUSANDTHS_CURRENCIES))
        if has_thousandths and self._open_amount and not (self._signs_of_amounts.keys() & {".", ","}):
            raise InvalidFile(
                f"{file}: {self._header_of('amount')} {shown(self._open_amount)} can be a thousand times as much in"
                " a currency of three decimals, and no other amount of the file settles it. Write amounts as"
                " 1250.000."
            )
        is_day_first = options.is_day_first
        if is_day_first is None and self._orders:
            is_day_first = day_first(file, self._header_of("day", "instant"), self._orders)
        are_whole = bool(self._currencies) and self._currencies.issubset(WHOLE_CURRENCIES)
        of_amounts = self._signs_of_whole_amounts if are_whole else self._signs_of_amounts
        return Notation(
            decimal_sign=settled_sign(self._signs + of_amounts),
            decimals=3 if has_thousandths else 2,
            is_day_first=is_day_first is not False,
            zone=options.settings.zone,
            default_country=options.settings.default_country,
        )

    def _judge(self, cast: str, text: str) -> None:
        if cast == "currency":
            self._currencies.add(text.upper())
        elif cast in ("day", "instant"):
            self._orders.setdefault(order_shown(text), text)
        elif cast == "amount":
            self._signs_of_amounts[sign_shown(text)] += 1
            self._signs_of_whole_amounts[sign_shown(text, is_whole=True)] += 1
            if not self._open_amount and has_open_thousandths(text):
                self._open_amount = text
        else:
            self._signs[sign_shown(text, is_whole=cast != "rate")] += 1

    def _new_texts(self, name: str, texts: list[str | None]) -> list[str]:
        """Give the texts that were not there before, as far as can be remembered in bounded memory."""
        seen = self._seen.setdefault(name, set())
        new = [text for text in texts if text is not None and text not in seen]
        if len(seen) > _REMEMBERED_TEXTS:
            seen.clear()
        seen.update(new)
        return new

    def _header_of(self, *casts: str) -> str:
        return next(self._layout.header_of(name) for name, cast in self._types.items() if cast in casts)
