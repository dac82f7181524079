"""The fast reader and the careful one read the same, or the fast one leaves the file to the other."""

import gzip
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.csv_reading import open_csv
from ctm_analytics.imports.plain_reading import NotPlain, read_plain
from ctm_analytics.imports.source import open_source
from ctm_analytics.imports.text_rows import joined, read_rows


def both(content: bytes):
    """Read a file in both ways: columns, lines, number of rows, and which rows are equal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        with open_source(path) as source:
            file = open_csv(source)
            wanted = range(len(file.header))
            try:
                plain = seen(list(read_plain(file, wanted)), [])
            except NotPlain:
                plain = None
            faults = []
            return plain, seen(list(read_rows(file, wanted, faults)), faults)


def seen(blocks, faults):
    if not blocks:
        return {}, [], len(faults), [], len(faults)
    rows = joined(blocks)
    equal = defaultdict(list)
    for line, row_hash in zip(rows.lines.to_pylist(), rows.row_hashes.to_pylist(), strict=True):
        equal[row_hash].append(line)
    columns = {position: column.to_pylist() for position, column in rows.columns.items()}
    return columns, rows.lines.to_pylist(), len(rows.lines) + len(faults), sorted(equal.values()), len(faults)


cells = some.text(some.sampled_from('ab ,;"\n\r\té1\u00a0'), max_size=5)
written = some.builds(
    lambda text, is_quoted: '"' + text.replace('"', '""') + '"' if is_quoted else text, cells, some.booleans()
)
lines = some.lists(some.lists(written, min_size=2, max_size=4).map(",".join), max_size=6)


@settings(max_examples=400, deadline=None)
@given(lines, some.sampled_from(["\n", "\r\n"]), some.sampled_from(["", "\n"]), some.sampled_from(["", "\n"]))
@example(["a,b,c", "a,b,c", "a,c,b"], "\n", "\n", "")
@example(['"a"b,c,d', "x,y,z"], "\n", "\n", "")
@example(['a,"b""c",d', 'a"b,c,d'], "\n", "", "")
@example(['a,"b', 'c",d', "e,f,g"], "\n", "\n", "")
@example([" , ,", "a,b,c"], "\n", "\n", "")
@example(["a,b,c,", "d,e,f,"], "\n", "\n", "")
@example(['1",,"'], "\n", "", "")
@example(["a,b,c\rd,e,f"], "\n", "\n", "")
def test_the_fast_reader_differs_in_nothing(rows, newline, ending, beginning):
    try:
        fast, careful = both((beginning + newline.join(["x,y,z", *rows]) + ending).encode())
    except InvalidFile:
        return
    assert fast is None or fast == careful


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\na,b\nc,d\n",
        b"x,y\na,b\nc,d",
        b"\xef\xbb\xbfx,y\r\na,b\r\n",
        b'"x","y"\n"a, b",\n"c ""d"" e",f\n',
        b"\nx,z\na,b\n",
        "x;y\nGröße;1,5\n".encode(),
        gzip.compress(b"x,y\na,b\nc,d\n", mtime=0),
    ],
)
def test_a_plain_file_takes_the_fast_way(content):
    fast, careful = both(content)
    assert fast == careful


@pytest.mark.parametrize(
    "content",
    [
        b'x,y\na,"b\nc"\nd,e\n',  # a cell with a line break
        b"x,y\na,b\n\nc,d\n",  # a blank line
        b"x,y\na,b\n,\nc,d\n",  # a row without content
        b"x,y\na,b\nc\n",  # a short row
        b"x,y\na,b\nc,d,e\n",  # a long row
        b'x,y\n"a"b,c\n',  # a quote that is not doubled
        b"x,y\na,b\rc,d\n",  # two kinds of line end
        b'"x\ny",z\na,b\n',  # a header of two lines
        b"x,y\na,b\r",  # a carriage return at the end
        b"x,y\n",  # nothing to read
        "x,y\nGröße,b\n".encode("cp1252"),
        "x,y\na,b\n".encode("utf-16"),
    ],
)
def test_what_might_be_read_otherwise_is_left_to_the_careful_reader(content):
    assert both(content)[0] is None


def test_a_quote_on_the_edge_of_a_block_is_seen(monkeypatch):
    monkeypatch.setattr("ctm_analytics.imports.plain_reading._BLOCK_BYTES", 8)
    for padding in range(9):
        assert both(b"x,y\n" + b"p" * padding + b',"a"b\n')[0] is None
