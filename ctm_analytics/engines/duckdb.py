"""Runs a composed query on DuckDB, inside this process."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

# Spark's names for what DuckDB calls otherwise, so that the same SQL files run on both.
_MACROS = """
create macro unix_micros(instant) as epoch_us(instant);
create macro convert_timezone(source, target, instant) as timezone(target, timezone(source, instant));
"""

# Nothing is downloaded, nothing is printed, and instants are UTC wherever the machine stands.
_SETTINGS = """
set autoinstall_known_extensions = false;
set enable_progress_bar = false;
set timezone = 'UTC';
"""


class QueryError(Exception):
    """A statement that the engine refuses: the first line says why."""


class DuckDBEngine:
    """An empty in-memory database whose views are the data folder's files.

    Parameters
    ----------
    files : mapping of str to tuple of Path; relation name to its Parquet files, possibly none
    schemas : mapping of str to pyarrow.Schema; the columns of each relation, for those without files
    """

    def __init__(self, files: Mapping[str, tuple[Path, ...]], schemas: Mapping[str, pa.Schema]) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(_SETTINGS + _MACROS)
        for relation, schema in schemas.items():
            self._connection.execute(f"create view {relation} as {_source_sql(files[relation], schema)}")

    def query(self, sql: str) -> pa.Table:
        """Run one statement.

        Returns
        -------
        pyarrow.Table: all rows, decimals and instants exact

        Raises
        ------
        QueryError
            If the statement is wrong; the message is the engine's first line and its caret.
        """
        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(_short(str(error))) from error

    def create_view(self, name: str, sql: str) -> None:
        """Give a query a name that later queries can read."""
        self._connection.execute(f"create or replace view {name} as {sql}")

    def close(self) -> None:
        """Release the files."""
        self._connection.close()


def _source_sql(files: tuple[Path, ...], schema: pa.Schema) -> str:
    if not files:
        columns = ", ".join(f"cast(null as {_duckdb_type(field.type)}) as {field.name}" for field in schema)
        return f"select {columns} where false"
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


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
    # A binder error lists dozens of candidate functions; the first line and the caret are what helps.
    lines = message.splitlines()
    caret = [line for line in lines if line.startswith("LINE") or line.strip() == "^"]
    return "\n".join([lines[0], *caret])
