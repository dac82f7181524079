"""Real servers that speak Spark Connect, each in a process and a Python environment of its own."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from receiving import wait_until

ROOT = Path(__file__).parents[2]
SAIL = ROOT / ".venv-cluster" / "bin" / "sail"
SPARK = ROOT / ".venv-spark"


@contextlib.contextmanager
def running_sail(folder: Path) -> Iterator[str]:
    """Run Sail, which keeps relations as files in a folder."""
    assert SAIL.exists(), f"{SAIL} is missing: run `make .venv-cluster/.ok`"
    port = free_port()
    (folder / "kept").mkdir()
    environ = {"SAIL_EXECUTION__CHECKPOINT__PATH": f"file://{folder / 'kept'}"}
    command = [SAIL, "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    with _running(folder, "sail", command, environ):
        _wait_for(port)
        yield f"sc://127.0.0.1:{port}"


@contextlib.contextmanager
def running_spark(folder: Path) -> Iterator[str]:
    """Run a master, two workers of one core each, and a Spark Connect server whose executors they run."""
    (home,) = SPARK.glob("lib/python3*/site-packages/pyspark")
    environ = {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(SPARK / "bin" / "python"),
    }
    classes = "org.apache.spark.deploy"
    here = ["--host", "127.0.0.1", "--webui-port", "0"]
    master_port, port = free_port(), free_port()
    master = f"spark://127.0.0.1:{master_port}"
    launch, submit = home / "bin" / "spark-class", home / "bin" / "spark-submit"
    size = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder)]
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.executor.memory": "700m",
        "spark.sql.shuffle.partitions": 2,
        "spark.sql.warehouse.dir": folder / "warehouse",
        "spark.ui.enabled": "false",
    }
    server = [submit, "--master", master, "--driver-memory", "1g"]
    server += [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    server += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    with contextlib.ExitStack() as stack:
        start = [launch, f"{classes}.master.Master", *here, "--port", str(master_port)]
        stack.enter_context(_running(folder, "master", start, environ))
        _wait_for(master_port)
        for name in ("worker-1", "worker-2"):
            start = [launch, f"{classes}.worker.Worker", *here, *size, master]
            stack.enter_context(_running(folder, name, start, environ))
        stack.enter_context(_running(folder, "server", server, environ))
        _wait_for(port)
        yield f"sc://127.0.0.1:{port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(
    folder: Path, name: str, command: Sequence[str | Path], environ: dict[str, str]
) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | environ, cwd=folder, start_new_session=True
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_until(listens, 300)
