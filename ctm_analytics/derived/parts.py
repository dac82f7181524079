"""Relations in a base and an overlay: replaced rows of the base do not count, those of the overlay do.

Of what is only ever gathered no row is replaced: there an overlay is what was added.
"""

from collections.abc import Mapping
from pathlib import Path

from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.engines.duckdb import DuckDBEngine

# Rows of single events, or of equal ones once, with the columns by which they are known again.
GATHERED = {
    "whatsapp_ids": ("contact_key", "account_id", "contact_id"),
    "id_changes": ("contact_id", "phone", "old_id", "new_id"),
    "told_ids": ("contact_id", "told_as"),
    "ref_contacts": ("ref", "contact_key"),
}
# In this order each reads only those before it, and what is gathered.
RELATIONS = ("contact_aliases", "contacts", "touches", "conversation_timelines", "used_refs")
# Made when first asked for, from then on mended with the others.
ON_DEMAND = ("turns",)
# Which rows still count of a contact with replaced rows.
STANDS = {
    "contacts": "false",
    "touches": "rows_before.touched_at < replaced.redo_from",
    "conversation_timelines": "rows_before.opened_at < replaced.timelines_from",
    "turns": "rows_before.opened_at < replaced.redo_from",
}


def show(
    engine: DuckDBEngine, folder: DerivedFolder, parts: Mapping[str, str], name: str, view: str
) -> list[Path] | None:
    """Give a relation a name in the engine.

    Parameters
    ----------
    parts : mapping of str to str; a part's name to its key in the folder
    name : str, the relation, or another part
    view : str, the name in the engine

    Returns
    -------
    list of Path or None
        The files that it lies in; None where one is gone or damaged.
    """
    wanted = [name]
    if f"{name}_overlay" in parts:
        wanted += [f"{name}_overlay"] if name in GATHERED else [f"{name}_overlay", "replaced"]
    paths = [path for part in wanted if (path := folder.find(parts[part])) is not None]
    if len(paths) < len(wanted):
        return None
    if name in GATHERED or len(paths) == 1:
        engine.create_file_view(view, paths)
    else:
        for part, path in zip(("base", "overlay", "replaced"), paths, strict=True):
            engine.create_file_view(f"{view}_{part}", [path])
        engine.create_view(
            view,
            f"{standing(name, f'{view}_base', f'{view}_replaced')} union all by name from {view}_overlay",
        )
    return paths


def unknown(name: str, rows: str, known: str) -> str:
    """Write the SELECT of those gathered rows that are not known yet."""
    is_same = " and ".join(f"came.{column} is not distinct from known.{column}" for column in GATHERED[name])
    return f"select came.* from {rows} as came anti join {known} as known on {is_same}"


def standing(name: str, rows: str, replaced: str) -> str:
    """Write the SELECT of those rows of a relation that still count."""
    return f"{_beside(rows, replaced)} where {_stands(name)}"


def superseded(name: str, rows: str, replaced: str) -> str:
    """Write the SELECT of those rows of a relation that do not count: all others than :func:`standing`."""
    return f"{_beside(rows, replaced)} where not ({_stands(name)})"


def _beside(rows: str, replaced: str) -> str:
    return (
        f"select rows_before.* from {rows} as rows_before"
        f" left join {replaced} as replaced on rows_before.contact_key = replaced.contact_key"
    )


def _stands(name: str) -> str:
    return f"replaced.contact_key is null or coalesce({STANDS[name]}, true)"
