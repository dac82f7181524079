"""Runs a composed query on DuckDB, inside this process."""

import contextlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ctm_analytics.engines.asked_days import asked_days
from ctm_analytics.engines.spilling import spill_folder
from ctm_analytics.errors import InvalidArgument, InvalidFile

# Spark's names for what DuckDB calls otherwise, so that the same SQL files run on both.
_MACROS = """
create macro unix_micros(instant) as epoch_us(instant);
create macro get_json_object(document, path) as try(json_extract_string(document, path));
create macro convert_timezone(source, target, instant) as timezone(target, timezone(source, instant));
"""

# Nothing is downloaded, nothing is printed, and instants are UTC wherever the machine stands.
_SETTINGS = """
set autoinstall_known_extensions = false;
set timezone = 'UTC';
"""
# PIVOT is several statements in one.
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI)
_EVENTS = "raw_events"
_SHOWS_PROGRESS = "select current_setting('enable_progress_bar')"


class QueryError(Exception):
    """A statement that the engine refuses: the first line says why."""


class DuckDBEngine:
    """An empty in-memory database whose views are the data folder's files.

    Parameters
    ----------
    files : mapping of str to tuple of Path; relation name to its Parquet files, possibly none
    schemas : mapping of str to pyarrow.Schema; the columns of each relation, for those without files
    memory_limit : str, a size or a share of the machine's memory, from which on the disk is used

    Attributes
    ----------
    version : str, the engine's name and release
    """

    def __init__(
        self,
        files: Mapping[str, tuple[Path, ...]],
        schemas: Mapping[str, pa.Schema],
        memory_limit: str = "50%",
    ) -> None:
        self.version = f"duckdb {duckdb.__version__}"
        self._connection = duckdb.connect()
        self._connection.execute(_SETTINGS + _MACROS)
        self._memory_limit = memory_limit
        spill = _text(spill_folder(self))
        self._connection.execute(f"set memory_limit = '{memory_limit}'; set temp_directory = {spill}")
        # Inside a notebook it is off, and to set it at all would need a package for its drawing.
        if self._connection.sql(_SHOWS_PROGRESS).fetchall()[0][0]:
            self._connection.execute("set enable_progress_bar = false")
        self._files = [str(file) for relation in schemas for file in files[relation]]
        self._sources = {relation: (files[relation], schema) for relation, schema in schemas.items()}
        # To name files opens each of them: only those of which something is asked.
        self._unnamed = set(schemas)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement.

        Parameters
        ----------
        sql : str
        parameters : mapping of str to value; ``$name`` in the statement is bound to it, never pasted

        Returns
        -------
        pyarrow.Table: all rows, decimals and instants exact

        Raises
        ------
        QueryError
            If the statement is wrong; the message is the engine's first lines and its caret.
        InvalidFile
            If a file is damaged.
        """
        self._refuse_writing(sql)
        if parameters is None or _EVENTS not in sql:
            self._name_sources(sql)
            return self._rows(sql, parameters)
        try:
            self._name_asked_events(sql, parameters)
            return self._rows(sql, parameters)
        finally:
            self._unnamed.add(_EVENTS)

    def _refuse_writing(self, sql: str) -> None:
        try:
            statements = duckdb.extract_statements(sql)
        except duckdb.Error as error:
            raise self._said(error) from error
        if len(statements) != 1:
            raise QueryError(f"{'Several statements' if statements else 'No statement'}. Write one SELECT.")
        if statements[0].type not in _READING:
            raise QueryError(
                f"Data are only read here, so {statements[0].type.name} is refused. Write one SELECT;"
                " `ctm import` brings data and takes them back, --output FILE keeps an answer's rows."
            )

    def _rows(self, sql: str, parameters: Mapping[str, Any] | None) -> pa.Table:
        try:
            relation = self._connection.sql(sql, params=dict(parameters) if parameters else None)
            if relation is None:
                raise QueryError("The statement returns no rows. Write one SELECT.")
            return relation.to_arrow_table()
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise self._said(self._pointed(sql, parameters, error)) from error
        except duckdb.Error as error:
            raise self._said(error) from error

    def _name_asked_events(self, sql: str, parameters: Mapping[str, Any]) -> None:
        """Let ``raw_events`` be the files of the days of receipt that a statement which somebody typed asks for."""
        asked, schema = self._sources[_EVENTS]
        self.create_view(_EVENTS, _closed_sql(asked, schema))
        self._name_sources(sql)
        with contextlib.suppress(duckdb.Error):  # what is wrong with the statement is said when it runs
            plan = self._connection.execute(f"explain (format json) {sql}", dict(parameters)).fetchall()
            days = asked_days(plan[0][1])
            asked = tuple(file for file in asked if days.may_hold(file))
        self.create_view(_EVENTS, _source_sql(asked, schema))

    def _pointed(self, sql: str, parameters: Mapping[str, Any] | None, error: duckdb.Error) -> duckdb.Error:
        """Let the engine point at the place: it does so for a statement, and not for a relation."""
        try:
            self._connection.execute(sql, parameters)
        except duckdb.Error as pointed:
            return pointed
        return error

    def create_view(self, name: str, sql: str) -> None:
        """Give a query a name that later queries can read.

        Raises
        ------
        QueryError, InvalidFile
            As for :meth:`query`.
        """
        self._unnamed.discard(name)
        self._name_sources(sql)
        try:
            self._connection.execute(f"create or replace view {name} as {sql}")
        except duckdb.Error as error:
            raise self._said(error) from error

    def create_table(self, name: str, sql: str) -> None:
        """Keep a query's rows under a name, for as long as the engine lives.

        Raises
        ------
        QueryError, InvalidFile
            As for :meth:`query`.
        """
        self._name_sources(sql)
        try:
            self._connection.execute(f"create or replace temp table {name} as {sql}")
        except duckdb.Error as error:
            raise self._said(error) from error

    def create_file_view(self, name: str, files: Sequence[Path]) -> None:
        """Give the rows of Parquet files, one at least, a name.

        Raises
        ------
        QueryError
            If one cannot be read.
        """
        self.create_view(name, f"select * from {_parquet(files)}")

    def create_named_view(self, name: str, files: Sequence[Path], schema: pa.Schema) -> None:
        """Give the rows of some files, possibly none, a name; the column ``file`` is each one's folder and file.

        Raises
        ------
        QueryError, InvalidFile
            As for :meth:`query`.
        """
        rows, file = f"({_source_sql((), schema)})", "cast(null as varchar)"
        if files:
            rows, file = _parquet(files, named=True), "array_to_string(string_split(filename, '/')[-2:], '/')"
        left_out = "exclude (filename)" if files else ""
        self.create_view(name, f"select * {left_out}, {file} as file from {rows}")

    def analyzed(self, sql: str) -> str:
        """Run a statement and say, as the engine does, what each part of it did and how long it took."""
        return str(self._connection.execute(f"explain analyze {sql}").fetchall()[0][1])

    def rows_of(self, file: Path) -> int:
        """Say how many rows a Parquet file has, by what it says of itself."""
        return int(self.query(f"select count(*) as n from {_parquet([file])}").to_pylist()[0]["n"])

    def drop_tables(self, names: Iterable[str]) -> None:
        """Let go of tables that were made with :meth:`create_table`."""
        for name in names:
            self._connection.execute(f"drop table if exists {name}")

    def write(self, target: Path, sql: str) -> None:
        """Write a query's rows as a Parquet file.

        Raises
        ------
        OSError
            If it cannot be written, or a file that the query reads is gone.
        QueryError, InvalidFile
            As for :meth:`query`.
        """
        self._name_sources(sql)
        try:
            self._connection.execute(f"copy ({sql}) to {_text(target)} (format parquet, compression zstd)")
        except duckdb.IOException as error:
            raise OSError(str(error)) from error
        except duckdb.Error as error:
            raise self._said(error) from error

    def _name_sources(self, sql: str) -> None:
        for relation in [name for name in self._unnamed if name in sql]:
            self.create_view(relation, _source_sql(*self._sources[relation]))

    def _said(self, error: duckdb.Error) -> QueryError | InvalidFile | InvalidArgument:
        if isinstance(error, duckdb.OutOfMemoryException):
            return InvalidArgument(
                f"memory_limit: {self._memory_limit} of memory, and what is free in {tempfile.gettempdir()}, are not"
                " enough for this answer. Give it more of either: memory_limit in ctm.toml, another disk by TMPDIR."
            )
        message = str(error)
        damaged = next((file for file in self._files if file in message), None)
        if damaged is None:
            return QueryError(_short(message))
        if not Path(damaged).exists():
            return InvalidFile(
                f"{damaged}: no longer there, since events were compacted or erased after it was listed."
                " Open the workbench again."
            )
        return InvalidFile(
            f"{damaged}: cannot be read ({message.splitlines()[0]})."
            " Restore it from a copy; an import can be deleted with its .json and imported again."
        )


def _closed_sql(files: Sequence[Path], schema: pa.Schema) -> str:
    """Read files of which none is opened before a row is wanted: enough to plan with, but their sizes are unknown."""
    if not files:
        return _source_sql(files, schema)
    columns = ", ".join(
        f"{name}: {{name: {name}, type: '{_duckdb_type(field.type)}', default_value: null}}"
        for field in schema
        if (name := _text(field.name))
    )
    return f"select * from read_parquet([{', '.join(map(_text, files))}], schema = map {{{columns}}})"


def _source_sql(files: Sequence[Path], schema: pa.Schema) -> str:
    if not files:
        columns = ", ".join(f"cast(null as {_duckdb_type(field.type)}) as {field.name}" for field in schema)
        return f"select {columns} where false"
    return f"select * from {_parquet(files)}"


def _parquet(files: Iterable[Path], *, named: bool = False) -> str:
    listed = ", ".join(map(_text, files))
    options = "union_by_name = true, hive_partitioning = false"
    return f"read_parquet([{listed}], {options}{', filename = true' if named else ''})"


def _text(word: str | Path) -> str:
    return "'" + str(word).replace("'", "''") + "'"


def _duckdb_type(arrow_type: pa.DataType) -> str:
    if pa.types.is_timestamp(arrow_type):
        return "timestamp"
    if pa.types.is_decimal(arrow_type):
        return f"decimal({arrow_type.precision}, {arrow_type.scale})"
    return {
        "string": "varchar",
        "int64": "bigint",
        "int32": "integer",
        "bool": "boolean",
        "date32[day]": "date",
    }[str(arrow_type)]


def _short(message: str) -> str:
    # A binder error lists dozens of candidate functions; the first line, the suggestion and the caret help.
    first, *rest = message.splitlines()
    helps = ("Did you mean", "Candidate bindings", "LINE")
    return "\n".join(
        [first, *(line for line in rest if line.startswith(helps) or set(line.strip()) == {"^"})]
    )
