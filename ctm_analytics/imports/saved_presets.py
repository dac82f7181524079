"""Presets that users made: imports/presets/<kind>_<name>.toml in the data folder, a mapping upon another preset."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.imports.presets import Preset, presets_of

_NAME = re.compile("[a-z0-9][a-z0-9_-]*")


def all_presets(kind: str, data: Path) -> tuple[Preset, ...]:
    """List the presets of one kind of import: those of the package, then those of the data folder.

    Raises
    ------
    InvalidFile
        If a saved preset cannot be read.
    """
    own = presets_of(kind)
    saved = (_load(path, own) for path in sorted(_folder(data).glob(f"{kind}_*.toml")))
    return (*own, *saved)


def check_name(name: str, kind: str) -> None:
    """Refuse what cannot be the name of a preset to save.

    Raises
    ------
    InvalidArgument
        If the name is one of the package's presets, ``auto``, or not made of small letters, digits, ``_`` and ``-``.
    """
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            f"save_preset: {name!r} is no name for a preset. Use small letters, digits, '_' and '-'."
        )
    if name in ("auto", *(preset.name for preset in presets_of(kind))):
        raise InvalidArgument(f"save_preset: {name!r} is there already, and not yours. Choose another name.")


def save_preset(name: str, base: Preset, mapping: Mapping[str, str], data: Path) -> None:
    """Keep a mapping under a name; one that was saved under the same name before is replaced.

    Parameters
    ----------
    name : str, checked by ``check_name``
    base : Preset, of the package or saved; its own mapping is kept where ``mapping`` does not say otherwise
    mapping : mapping of str to str, file column to field
    data : Path, the data folder
    """
    lines = [
        "# Made by ctm import --save-preset; --preset auto and --preset NAME find it.",
        f"name = {json.dumps(name)}",
        f"kind = {json.dumps(base.kind)}",
        f"based_on = {json.dumps(base.based_on or base.name)}",
        "",
        "# Column of the file = field.",
        "[mapping]",
    ]
    lines += [
        f"{_quoted(column)} = {_quoted(field)}" for column, field in ({**base.mapping, **mapping}).items()
    ]
    path = _folder(data) / f"{base.kind}_{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
    unfinished.rename(path)


def _folder(data: Path) -> Path:
    return data / "imports" / "presets"


def _quoted(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's too, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _load(path: Path, own: tuple[Preset, ...]) -> Preset:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        base = next(preset for preset in own if preset.name == table["based_on"])
        mapping = {str(column): str(field) for column, field in table["mapping"].items()}
        name = str(table["name"])
    except (ValueError, KeyError, AttributeError, StopIteration) as error:
        raise InvalidFile(
            f"{path}: not a saved preset ({type(error).__name__}: {error}). Mend or remove it."
        ) from None
    title = f"{base.title}, with the columns of {name}"
    return replace(base, name=name, title=title, signs=(), mapping=mapping, based_on=base.name)
