"""A file's header, understood: which preset it follows and which column holds which field."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.imports.faults import listed, plural, shown
from ctm_analytics.imports.options import Options
from ctm_analytics.imports.presets import KINDS, Preset, presets_of
from ctm_analytics.imports.text_rows import TextFile
from ctm_analytics.schemas import IMPORTS, ORIGIN
from ctm_analytics.settings import did_you_mean

_CURRENCY = "{currency}"
_CURRENCY_IN_HEADER = re.compile(r"\(([A-Za-z]{3})\)$")


@dataclass(frozen=True)
class Layout:
    """A file's header, understood.

    Attributes
    ----------
    preset : Preset
    why : str, why this preset
    columns : dict of field to positions in the header; several only where the first that is filled counts
    currency : str or None, ISO 4217, from the header of the amount, or as the user says
    unused : tuple of str, columns that no field takes
    missing : tuple of str, required fields without a column
    """

    preset: Preset
    header: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]
    currency: str | None
    unused: tuple[str, ...]
    missing: tuple[str, ...]
    why: str

    def mapping(self) -> dict[str, list[str]]:
        """Say which columns hold each field."""
        return {name: [self.header[place] for place in places] for name, places in self.columns.items()}

    def header_of(self, name: str) -> str:
        """Name the column of a field as the file does, or its stand-in; the field itself when it has none."""
        rule = self.preset.fields.get(name)
        stand_ins = (name, *(rule.alternatives if rule else ()))
        positions = [self.columns[field] for field in stand_ins if field in self.columns]
        return self.header[positions[0][0]] if positions else name


def choose_layout(text_file: TextFile, kind: str, presets: Sequence[Preset], options: Options) -> Layout:
    """Decide what each column of a file means.

    Parameters
    ----------
    text_file : TextFile
    kind : str, kind of import
    presets : sequence of Preset, those to choose from
    options : Options, of which ``preset``, ``mapping`` and ``currency`` matter here

    Raises
    ------
    InvalidArgument
        For a preset, a column or a field that does not exist.
    InvalidFile
        If a required column is missing, or two columns claim one field.
    """
    file, header = text_file.name, text_file.header
    preset, mapping = options.preset, options.mapping or {}
    known = {candidate.name: candidate for candidate in presets}
    if preset not in ("auto", *known):
        names = ", ".join(["auto", *known])
        raise InvalidArgument(
            f"preset: {preset!r} is no preset for {kind}.{did_you_mean(preset, known)} Use one of {names}."
        )
    candidates = (
        [known[preset]] if preset != "auto" else [each for each in presets if _is_at_hand(each, header)]
    )
    usable = [candidate for candidate in candidates if _fields(candidate).issuperset(mapping.values())]
    if not usable:
        raise InvalidArgument(_unknown_field(candidates, mapping))
    placed = _placed(file, header, mapping)
    layouts = [
        _match(candidate, header, _placed(file, header, candidate.mapping) | placed, options.currency)
        for candidate in usable
    ]
    best = max(layouts, key=_fitness)
    if best.missing:
        raise InvalidFile(_missing(file, best) + _other_kind(kind, header))
    _refuse_rivals(file, best)
    return best


def _is_at_hand(preset: Preset, header: Sequence[str]) -> bool:
    """Say whether a file has the columns for which a preset was saved, and those by which a program is known."""
    there = {_plain(column) for column in header}
    is_known = any(there.issuperset(map(_plain, together)) for together in preset.signs)
    return there.issuperset(map(_plain, preset.mapping)) and (is_known or not preset.signs)


def _fitness(layout: Layout) -> tuple[int, int, int, int, bool]:
    """Rank layouts: fewest required columns missing, what was saved for such files, most columns known.

    Where that is equal, most columns spelled alike, and then the plain one.
    """
    spellings = {alias for rule in layout.preset.fields.values() for alias in rule.spellings}
    return (
        -len(layout.missing),
        len(layout.preset.mapping),
        len(layout.columns),
        len(spellings.intersection(layout.header)),
        layout.preset.name == "plain",
    )


def _fields(preset: Preset) -> set[str]:
    """List what a column may be mapped to: the preset's own fields, and every other one that a file can fill."""
    made_here = {"is_estimated", *(name for name, _ in ORIGIN)}
    return {*preset.fields, *IMPORTS[preset.kind].names} - made_here


def _unknown_field(candidates: list[Preset], mapping: Mapping[str, str]) -> str:
    known = max((_fields(candidate) for candidate in candidates), key=len)
    name = next(name for name in mapping.values() if name not in known)
    return (
        f"mapping: {name!r} is no field of {candidates[0].kind}.{did_you_mean(name, known)}"
        f" Use one of {', '.join(sorted(known))}."
    )


def _placed(file: str, header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    placed: dict[str, tuple[int, ...]] = {}
    positions = {_plain(column): position for position, column in reversed(list(enumerate(header)))}
    for column, name in mapping.items():
        if _plain(column) not in positions:
            raise InvalidArgument(
                f"mapping: {file} has no column {column!r}.{did_you_mean(column, list(header))}"
                f" Its columns: {listed(header, 30)}."
            )
        placed[name] = (*placed.get(name, ()), positions[_plain(column)])
    return placed


def _match(
    preset: Preset,
    header: tuple[str, ...],
    placed: dict[str, tuple[int, ...]],
    usual_currency: str | None = None,
) -> Layout:
    taken = {position for positions in placed.values() for position in positions}
    columns = dict(placed)
    for name, rule in preset.fields.items():
        found = [position for alias in rule.spellings for position in _positions(alias, header, taken)]
        if found and name not in placed:
            columns[name] = tuple(dict.fromkeys(found))
    currency = _currency(header, columns) or (None if "currency" in columns else usual_currency)
    used = {position for positions in columns.values() for position in positions}
    has = {*columns, *(["currency"] if currency else [])}
    return Layout(
        preset,
        header,
        columns,
        currency,
        unused=tuple(column for position, column in enumerate(header) if position not in used),
        missing=tuple(
            name
            for name, rule in preset.fields.items()
            if rule.is_required
            and name not in has
            and not (rule.alternatives and has.issuperset(rule.alternatives))
        ),
        why=f"knows {len(used)} of {len(header)} columns"
        f" ({listed([header[place] for place in sorted(used)], 3)})",
    )


def _positions(alias: str, header: Iterable[str], taken: set[int]) -> list[int]:
    pattern = re.compile(re.escape(_plain(alias)).replace(re.escape(_CURRENCY), "[a-z]{3}"))
    return [
        position
        for position, column in enumerate(header)
        if position not in taken and pattern.fullmatch(_plain(column))
    ]


def _plain(column: str) -> str:
    """Bring a header to the form in which two are compared: ``Ad Set ID`` and ``ad_set_id`` are one.

    So are an accent that is a letter of its own and one that is not, and the two apostrophes of ``l'ensemble``.
    """
    composed = unicodedata.normalize("NFKC", column).replace("’", "'")
    return " ".join(composed.replace("_", " ").split()).casefold()


def _language(layout: Layout) -> str:
    """Name the language in which most columns are spelled; one that has a spelling for every field of the preset."""
    known = Counter(
        language
        for rule in layout.preset.fields.values()
        for language, aliases in rule.headers.items()
        if any(_positions(alias, layout.header, set()) for alias in aliases)
    )
    return max(known, key=known.__getitem__, default="en")


def _currency(header: tuple[str, ...], columns: Mapping[str, tuple[int, ...]]) -> str | None:
    if "currency" in columns or "spend" not in columns:
        return None
    match = _CURRENCY_IN_HEADER.search(unicodedata.normalize("NFKC", header[columns["spend"][0]]))
    return match[1].upper() if match else None


def _refuse_rivals(file: str, layout: Layout) -> None:
    for name, positions in layout.columns.items():
        rule = layout.preset.fields.get(name)
        if len(positions) > 1 and not (rule and rule.is_first_of):
            rivals = " and ".join(shown(layout.header[position]) for position in positions)
            raise InvalidFile(
                f"{file}: {len(positions)} columns hold the field {name}: {rivals}."
                f" Export one account and one currency at a time, or say which counts: --map COLUMN={name}."
            )


def _missing(file: str, layout: Layout) -> str:
    missing = list(layout.missing)
    if {"spend", "currency"}.issubset(missing) and _CURRENCY_IN_HEADER.search(_near_miss("spend", layout)):
        missing.remove("currency")  # the column that is meant names it
    sentences = [_missing_field(name, layout) for name in missing]
    found = listed([shown(column) for column in layout.header], 30)
    lack = plural(len(missing), "required column is", "required columns are")
    head = f"{file}: read as {layout.preset.title}, but {lack} missing."
    return "\n".join([head, *sentences, f"  found: {found}"])


def _other_kind(kind: str, header: tuple[str, ...]) -> str:
    """Recognise a file that was given to the wrong command."""
    for other in KINDS:
        for candidate in presets_of(other):
            is_meant = _is_at_hand(candidate, header) and not _match(candidate, header, {}).missing
            if other != kind and is_meant:
                return f"\n  It looks like {candidate.title}: use ctm import {other}."
    return ""


def _missing_field(name: str, layout: Layout) -> str:
    rule = layout.preset.fields[name]
    said = f"  no column {shown(_spelled(name, layout))} (field {name})."
    if near := _near_miss(name, layout):
        return f'{said} Did you mean {shown(near)}? Then add --map "{near}={name}".'
    advice = rule.missing or ("Say it for the whole file: --currency USD." if name == "currency" else "")
    return f"{said} {advice}".rstrip()


def _spelled(name: str, layout: Layout) -> str:
    return layout.preset.fields[name].headers[_language(layout)][0].replace(_CURRENCY, "USD")


def _near_miss(name: str, layout: Layout) -> str:
    """Find the unused column that is nearly spelled as a field is; empty when there is none."""
    near = {re.sub(r"\s*\(.*\)$", "", _plain(column)): column for column in layout.unused}
    # "Opportunity Name" looks like "Opportunity ID": where the preset knows better, only a slip of the pen is guessed.
    cutoff = 0.9 if layout.preset.fields[name].missing else 0.6
    wanted = _plain(_spelled(name, layout).partition(" (")[0])
    guesses = difflib.get_close_matches(wanted, list(near), 1, cutoff)
    return near[guesses[0]] if guesses else ""
