"""Presets: which header means which field. Each is a data file in presets/."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

KINDS = ("sales", "spend", "contacts", "rates")


@dataclass(frozen=True)
class FieldRule:
    """How one field stands in a kind of file.

    Attributes
    ----------
    headers : mapping of language to tuple of str, how the column is spelled; ``{currency}`` stands for three letters
    alternatives : tuple of str, fields that together stand in for this one
    is_first_of : bool, several columns may hold it; the first that is filled counts
    is_utc : bool, times without an offset are UTC, not local
    missing : str, what to do when a required column is not there
    """

    headers: Mapping[str, tuple[str, ...]]
    is_required: bool = False
    is_first_of: bool = False
    is_utc: bool = False
    alternatives: tuple[str, ...] = ()
    missing: str = ""

    @property
    def spellings(self) -> tuple[str, ...]:
        """List the headers of all languages."""
        return tuple(header for headers in self.headers.values() for header in headers)


@dataclass(frozen=True)
class Preset:
    """One kind of file that people export.

    Attributes
    ----------
    name, kind, title : str
    fields : mapping of field to FieldRule
    signs : tuple of tuple of str, headers that together are a program's own; ``auto`` wants one such group, if any
    rules : mapping, what only one kind of import reads
    mapping : mapping of str to str, file column to field, of a saved preset
    based_on : str, the preset whose mapping was saved
    """

    name: str
    kind: str
    title: str
    fields: Mapping[str, FieldRule]
    rules: Mapping[str, Any]
    signs: tuple[tuple[str, ...], ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    based_on: str = ""


@functools.cache
def presets_of(kind: str) -> tuple[Preset, ...]:
    """Load the presets of one kind of import, in order of their names."""
    folder = resources.files("ctm_analytics.imports") / "presets"
    texts = [entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    presets = [_parse(tomllib.loads(text)) for text in texts]
    return tuple(
        sorted((preset for preset in presets if preset.kind == kind), key=lambda preset: preset.name)
    )


def _parse(table: dict[str, Any]) -> Preset:
    rules = {
        name: FieldRule(
            headers={language: tuple(headers) for language, headers in rule["headers"].items()},
            is_required=rule.get("required", False),
            is_first_of=rule.get("first_of", False),
            is_utc=rule.get("utc", False),
            alternatives=tuple(rule.get("or", ())),
            missing=rule.get("missing", ""),
        )
        for name, rule in table.pop("fields").items()
    }
    signs = tuple(tuple(together) for together in table.pop("signs", ()))
    return Preset(table.pop("name"), table.pop("kind"), table.pop("title"), rules, table, signs)
