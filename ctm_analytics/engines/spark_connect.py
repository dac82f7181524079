"""Runs a composed query on a cluster that speaks Spark Connect: Apache Spark, or Sail."""

import contextlib
import re
import socket
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.engines.duckdb import QueryError
from ctm_analytics.errors import EngineFailed, InvalidArgument, InvalidFile

_SETTINGS = {
    # Instants are UTC without a zone, as in DuckDB, wherever the servers stand.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # The files are known by name: a job that looks for them costs more than it finds.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
}
_DEFAULT_PORT = 15002
_CONNECT_SECONDS = 5
# Rows that are sent in one message; servers take some megabytes at a time.
SENT_ROWS = 50_000
# The client's own patience is ten minutes; four times is some five seconds.
_RETRIES = 4
# $name, but not inside a quoted text.
_NAMED = re.compile(r"'(?:[^'\\]|\\.)*'|\$([A-Za-z_]\w*)")
# DuckDB takes `from conversations` alone.
_FROM = re.compile(r"\s*from\b", re.IGNORECASE)
_UNREADABLE = re.compile(r"PATH_NOT_FOUND|FAILED_READ_FILE|No such file|not found: file|Permission denied")


class SparkConnectEngine:
    """A session on a server, whose views are files that the cluster reads itself.

    Parameters
    ----------
    url : str, ``sc://HOST:PORT``; the client's own options may follow, such as ``/;use_ssl=true;token=…``
    files : mapping of str to tuple of Path; relation name to its Parquet files, possibly none
    schemas : mapping of str to pyarrow.Schema; the columns of each relation: a file that lacks one has nulls there
    urls : mapping of Path to str; what the cluster reads in place of a file; where that is empty, its rows are sent

    Attributes
    ----------
    version : str, what it speaks, and the release of the client; not every server says its own

    Raises
    ------
    InvalidArgument
        If the client is not installed.
    EngineFailed
        If nobody answers there, or the cluster does not see the files.
    """

    def __init__(
        self,
        url: str,
        files: Mapping[str, tuple[Path, ...]],
        schemas: Mapping[str, pa.Schema],
        urls: Mapping[Path, str],
    ) -> None:
        self._server = _reached(url)
        self.version = f"spark connect, client {metadata.version('pyspark-client')}"
        self._kept: dict[str, Any] = {}
        self._urls = urls
        self._files = [file for relation in schemas for file in files[relation]]
        with self._asked():
            self._session = _session(url)
            weakref.finalize(self, _quietly, self._session.stop)
            for relation, schema in schemas.items():
                self._create_source(relation, files[relation], schema)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement.

        Parameters
        ----------
        sql : str
        parameters : mapping of str to value; ``$name`` in a statement that somebody typed is bound to it, never pasted

        Returns
        -------
        pyarrow.Table: all rows, decimals exact, instants UTC without a zone

        Raises
        ------
        QueryError
            If the statement is wrong; the message is the server's first line.
        EngineFailed
            If the cluster is gone, or does not see the files.
        """
        if parameters is not None:
            # Within parentheses only a query can stand: data are only read here.
            marked = _NAMED.sub(
                lambda found: f":{found[1]}" if found[1] else found[0], sql.rstrip().rstrip(";")
            )
            shortened = "select * " if _FROM.match(marked) else ""
            sql = f"select * from (\n{shortened}{marked}\n)"
        with self._asked():
            rows = self._session.sql(sql, dict(parameters) if parameters else None).toArrow()
        # It knows of some columns that they hold no null, which DuckDB never says.
        return rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema]))

    def create_view(self, name: str, sql: str) -> None:
        """Give a query a name that later queries can read.

        Raises
        ------
        QueryError, EngineFailed
            As for :meth:`query`.
        """
        with self._asked():
            self._session.sql(sql).createOrReplaceTempView(name)

    def create_table(self, name: str, sql: str) -> None:
        """Keep a query's rows in the cluster under a name, for as long as the engine lives.

        Raises
        ------
        QueryError, EngineFailed
            As for :meth:`query`.
        """
        with self._asked():
            # The client gives what is kept to the session that the thread used first; another one would not find it.
            type(self._session)._active_session.session = self._session
            rows = self._session.sql(sql).localCheckpoint()
            rows.createOrReplaceTempView(name)
        self._kept[name] = rows  # the cluster forgets them together with this

    def analyzed(self, sql: str) -> str:
        """Say how the cluster goes about a statement; how long each part takes stands in its own interface."""
        return str(self.query(f"explain formatted {sql}").to_pylist()[0]["plan"])

    def _refuse_gone(self) -> None:
        """Refuse rows that may lack those of a file that is gone: a server may have passed over it."""
        gone = next((file for file in self._files if not file.exists()), None)
        if gone is not None:
            raise InvalidFile(
                f"{gone}: no longer there, since events were compacted or erased after it was listed."
                " Open the workbench again."
            )

    def _sees_nothing(self, what: str) -> EngineFailed:
        return EngineFailed(
            f"engine: {self._server} cannot read the data ({what}). Put the folder where every server of the cluster"
            " sees it under the same path, or let the servers read its object store, or leave --engine out."
        )

    def _create_source(self, relation: str, files: tuple[Path, ...], schema: pa.Schema) -> None:
        from pyspark.sql.pandas.types import from_arrow_schema

        columns = from_arrow_schema(schema, prefer_timestamp_ntz=True)
        paths = [self._urls.get(file, f"file://{file.resolve()}") for file in files]
        sent = _rows([file for file, path in zip(files, paths, strict=True) if not path], schema)
        paths = [path for path in paths if path]
        reader = self._session.read.schema(columns)
        rows = reader.parquet(*paths) if paths else self._session.createDataFrame([], columns)
        if paths and len(rows.inputFiles()) < len(set(paths)):  # Sail passes over what it does not find
            raise self._sees_nothing(f"{len(set(paths))} files of {relation}")
        for number, start in enumerate(range(0, sent.num_rows, SENT_ROWS)):
            self._send(f"sent_{relation}_{number}", sent.slice(start, SENT_ROWS))
            rows = rows.unionByName(self._session.table(f"sent_{relation}_{number}"))
        rows.createOrReplaceTempView(relation)

    def _send(self, name: str, rows: pa.Table) -> None:
        from pyspark.sql.connect.dataframe import DataFrame
        from pyspark.sql.connect.plan import LocalRelation

        # The client's own way to do this asks the server for settings that Sail does not know.
        DataFrame(LocalRelation(rows), self._session).createOrReplaceTempView(name)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """Say in one sentence what a server complains of."""
        from pyspark import errors

        wrong = (
            *(errors.AnalysisException, errors.ArithmeticException, errors.DateTimeException),
            *(errors.IllegalArgumentException, errors.UnsupportedOperationException),
        )
        try:
            with _quiet():
                yield
            self._refuse_gone()
        except errors.PySparkException as error:
            reason = str(error).strip().partition("\n")[0]
            if _UNREADABLE.search(str(error)):
                self._refuse_gone()
                raise self._sees_nothing(reason) from None
            if isinstance(error, wrong):
                raise QueryError(reason) from None
            raise EngineFailed(
                f"engine: {self._server} gave up ({type(error).__name__}: {reason}). Look into the server's log,"
                " or leave --engine out to ask on this machine."
            ) from None


def _rows(files: Sequence[Path], schema: pa.Schema) -> pa.Table:
    """Read the columns of a relation from files of this machine."""
    tables = []
    for file in files:
        with pq.ParquetFile(file, page_checksum_verification=True) as content:
            names = content.schema_arrow.names
            tables.append(content.read([name for name in schema.names if name in names]))
    rows = pa.concat_tables([schema.empty_table(), *tables], promote_options="permissive")
    return rows.select(schema.names).cast(schema)


def _session(url: str) -> Any:
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.remote(url).create()
    session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
    try:
        for name, value in _SETTINGS.items():
            session.conf.set(name, value)
    except Exception:  # whatever it was: it goes on to the caller
        session.client.close()  # or it would try again at the end of the process
        raise
    return session


def _reached(url: str) -> str:
    """Check the client and the way to the server: later they would fail slowly, and in many words.

    Returns
    -------
    str, the URL without what follows the port: there may be a token in it
    """
    parts = urlsplit(url)
    server = f"sc://{parts.netloc}"
    try:
        with _quiet():
            import pyspark.sql.connect.session  # noqa: F401 (only whether it can be)
    except ImportError:
        raise InvalidArgument(
            f"engine: {server} needs a package that is not installed: pip install 'ctm-analytics[cluster]'."
        ) from None
    try:
        address = (parts.hostname, parts.port or _DEFAULT_PORT)
        socket.create_connection(address, _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:  # a port may be too high to be one
        reason = getattr(error, "strerror", None) or error
        raise EngineFailed(
            f"engine: nobody answers at {server} ({reason}). Start the Spark Connect server there,"
            " or leave --engine out to ask on this machine."
        ) from None
    return server


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what the client warns of in its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _quietly(stop: Any) -> None:
    with _quiet():
        stop()
