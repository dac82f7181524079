"""Relations in a base and an overlay: replaced rows of the base do not count, those of the overlay do."""

from collections.abc import Mapping
from pathlib import Path

from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.engines.duckdb import DuckDBEngine

# In this order each reads only those before it.
RELATIONS = ("contact_aliases", "contacts", "touches", "conversation_timelines", "used_refs")
# Which rows still count of a contact with replaced rows.
STANDS = {
    "contacts": "false",
    "touches": "rows_before.touched_at < replaced.redo_from",
    "conversation_timelines": "rows_before.opened_at < replaced.timelines_from",
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
    wanted = [name, *((f"{name}_overlay", "replaced") if f"{name}_overlay" in parts else ())]
    paths = [path for part in wanted if (path := folder.find(parts[part])) is not None]
    if len(paths) < len(wanted):
        return None
    if len(paths) == 1:
        engine.create_file_view(view, paths)
    else:
        for part, path in zip(("base", "overlay", "replaced"), paths, strict=True):
            engine.create_file_view(f"{view}_{part}", [path])
        engine.create_view(
            view,
            f"{standing(name, f'{view}_base', f'{view}_replaced')} union all by name from {view}_overlay",
        )
    return paths


def standing(name: str, rows: str, replaced: str) -> str:
    """Write the SELECT of those rows of a relation that still count."""
    return (
        f"select rows_before.* from {rows} as rows_before"
        f" left join {replaced} as replaced on rows_before.contact_key = replaced.contact_key"
        f" where replaced.contact_key is null or coalesce({STANDS[name]}, true)"
    )
