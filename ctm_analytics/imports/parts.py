"""Rows of a file in parts that fit into memory, the rows of one key in one part, however large the file is."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctm_analytics.imports.text_rows import TextRows, joined

# So many bytes of CSV take some 300 MB while they are cast and arranged.
PART_BYTES = 1 << 26
_LINE, _HASH = "line", "hash"


class Parts:
    """The rows of a file: in memory when they are one part, else in temporary files that nobody can see.

    Such a file has no name; it is gone with the process, however that ends.

    Parameters
    ----------
    key : sequence of int, positions in the header of the key (the first that is filled)
    count : int, ``>= 1``, parts to make
    """

    def __init__(self, key: Sequence[int], count: int) -> None:
        self.rows = 0
        self._key = key
        self.count = count
        self._blocks: list[TextRows] = []
        self._spilled: list[tuple[IO[bytes], pa.ipc.RecordBatchStreamWriter]] = []

    def add(self, block: TextRows) -> None:
        """Take in rows."""
        self.rows += len(block.lines)
        if self.count == 1:
            self._blocks.append(block)
        else:
            self._spill(block)

    def __iter__(self) -> Iterator[TextRows]:
        """Give the parts, once; the rows of each are in the order of the file."""
        if self._blocks:
            yield joined(self._blocks)
            self._blocks.clear()
        while self._spilled:
            file, writer = self._spilled.pop()
            with file:
                writer.close()
                file.seek(0)
                table = pa.ipc.open_stream(file).read_all()
            if len(table):
                columns = {int(name): table[name] for name in table.column_names if name.isdecimal()}
                yield TextRows(columns, table[_LINE], table[_HASH])

    def close(self) -> None:
        """Let go of what was not given."""
        self._blocks.clear()
        for file, _ in self._spilled:
            file.close()
        self._spilled.clear()

    def _spill(self, block: TextRows) -> None:
        places = _places(block, self._key, self.count)
        order = np.argsort(places, kind="stable")
        table = pa.table(
            {str(position): _texts(column, order) for position, column in block.columns.items()}
            | {_LINE: block.lines.take(order), _HASH: block.row_hashes.take(order)}
        )
        if not self._spilled:
            for _ in range(self.count):
                file = tempfile.TemporaryFile(prefix="ctm-import-")  # noqa: SIM115 (closed by close)
                self._spilled.append((file, pa.ipc.new_stream(file, table.schema)))
        bounds = np.searchsorted(places[order], np.arange(self.count + 1))
        for (_, writer), start, end in zip(self._spilled, bounds[:-1], bounds[1:], strict=True):
            if end > start:
                writer.write_table(table.slice(start, end - start))


def _places(block: TextRows, key: Sequence[int], count: int) -> npt.NDArray[np.int64]:
    """Say for each row to which part it belongs; the same in every process."""
    texts, places = block.cells(key)
    # Excel's apostrophe is no part of an id; a row without a key may be anywhere.
    of_text = [crc32(text.removeprefix("'").encode()) % count for text in texts.to_pylist()]
    indices = places.fill_null(len(of_text)).to_numpy(zero_copy_only=False)
    of_row: npt.NDArray[np.int64] = np.array([*of_text, 0], dtype=np.int64)[indices]
    return of_row


def _texts(column: pa.ChunkedArray, order: npt.NDArray[np.int64]) -> pa.Array:
    plain = column.combine_chunks()
    if not pa.types.is_dictionary(plain.type):
        return plain.take(order)
    return plain.dictionary.take(plain.indices.take(order))
