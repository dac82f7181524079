"""What readers have worked out from the events lies in ``derived/``: it goes when events are forgotten."""

import secrets
import shutil

from receiver.store.folder import DataFolder


def remove_derived(folder: DataFolder) -> None:
    """Remove everything that was worked out from a data folder, under whoever is writing there.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    if folder.derived.exists():  # in one step: what is being written to it gets no name any more
        folder.derived.rename(folder.root / f"derived-{secrets.token_hex(8)}.removed")
    for gone in folder.root.glob("derived-*.removed"):
        shutil.rmtree(gone)
