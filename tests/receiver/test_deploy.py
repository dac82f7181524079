"""What lies in deploy/ works: real proxies in front of a real receiver, and command lines that exist."""

import inspect
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import typer.main
import yaml
from receiving import PATIENCE_SECONDS, Receiver, message, published, sign, wait_until

from ctm_analytics.cli.main import app
from ctm_analytics.cli.reporting import report
from receiver.__main__ import _parser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROXIES = ("nginx", "caddy")


class Certificates(NamedTuple):
    """An authority, and what it has signed: the proxy's certificate, Meta's client certificate, somebody else's."""

    authority: Path
    server: Path
    meta: Path
    other: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def signed(name: str, subject: str) -> Path:
        path, request = folder / f"{name}.pem", folder / f"{name}.csr"
        key = folder / f"{name}.key"
        openssl("req", *NEW, "-subj", subject, "-keyout", str(key), "-out", str(request),
                "-addext", "subjectAltName=DNS:localhost")  # fmt: skip
        openssl("x509", "-req", "-in", str(request), "-CA", str(authority), "-CAkey", str(authority_key), "-days", "2",
                "-CAcreateserial", "-copy_extensions", "copy", "-out", str(path))  # fmt: skip
        path.write_bytes(path.read_bytes() + key.read_bytes())
        return path

    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    openssl("req", "-x509", *NEW, "-days", "2", "-subj", "/CN=an authority", "-keyout", str(authority_key),
            "-out", str(authority))  # fmt: skip
    return Certificates(
        authority,
        signed("server", "/CN=localhost"),
        signed("meta", "/CN=client.webhooks.fbclientcerts.com/O=Meta Platforms, Inc."),
        signed("other", "/O=evil,CN=client.webhooks.fbclientcerts.com/CN=evil"),
    )


NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def nginx_command(folder: Path, port: int, receiver_port: int, certificates: Certificates) -> list[str]:
    """Adapt deploy/nginx.conf: its ports, paths and names, and the lines that are to be uncommented."""
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    site = re.sub(r"^    # (ssl_\w+ .*;)$", r"    \1", site, flags=re.MULTILINE)
    assert "    ssl_verify_client      optional;" in site
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("webhooks.example.com;", "localhost;"),
        ("/etc/letsencrypt/live/webhooks.example.com/fullchain.pem", str(certificates.server)),
        ("/etc/letsencrypt/live/webhooks.example.com/privkey.pem", str(certificates.server)),
        ("/etc/ctm/meta-outbound-api-ca-2025-12.pem", str(certificates.authority)),
        ("/var/log/nginx/error.log", str(folder / "site.log")),
        ("http://127.0.0.1:8000", f"http://127.0.0.1:{receiver_port}"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    (folder / "nginx.conf").write_text(
        f"user root;\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\n"
        + "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
        + f"include {folder}/site.conf;\n}}\n"
    )
    command = ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    return command


def caddy_command(folder: Path, port: int, receiver_port: int, certificates: Certificates) -> list[str]:
    """Adapt deploy/Caddyfile, as above."""
    site = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    site = re.sub(
        r"^\t# (\t*(?:tls \{|client_auth \{|mode .*|trusted_ca_cert_file .*|\}))$", r"\t\1", site, flags=re.M
    )
    for old, new in (
        ("{\n\tservers", "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tservers"),
        ("webhooks.example.com {", f"https://localhost:{port} {{"),
        ("\ttls {", f"\ttls {certificates.server} {certificates.server} {{"),
        ("/etc/ctm/meta-outbound-api-ca-2025-12.pem", str(certificates.authority)),
        ("reverse_proxy 127.0.0.1:8000", f"reverse_proxy 127.0.0.1:{receiver_port}"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    (folder / "Caddyfile").write_text(site)
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    subprocess.run(["caddy", "validate", *command[2:]], check=True, capture_output=True, env=_home(folder))
    return command


def _home(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class Proxy(NamedTuple):
    url: str
    authority: Path
    receiver: Receiver

    def client(self, certificate: Path | None = None) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.authority)
        if certificate is not None:
            context.load_cert_chain(certificate)
        return httpx.Client(base_url=self.url, verify=context)


@pytest.fixture(params=PROXIES)
def proxy(
    request: pytest.FixtureRequest,
    start: Callable[..., Receiver],
    certificates: Certificates,
    tmp_path: Path,
) -> Iterator[Proxy]:
    """A proxy as deploy/ describes it, which asks for Meta's client certificate."""
    if shutil.which(request.param, path=_home(tmp_path)["PATH"]) is None:
        pytest.skip(f"LOUDLY: {request.param} is not installed, so its configuration is not tried")
    receiver = start(CTM_CLIENT_CERTIFICATE_HEADER="X-Client-Subject", CTM_PUBLIC_URL="https://localhost")
    port, command = free_port(), {"nginx": nginx_command, "caddy": caddy_command}[request.param]
    arguments = command(tmp_path, port, httpx.URL(receiver.url).port or 0, certificates)
    with (tmp_path / "proxy.log").open("wb") as log:
        process = subprocess.Popen(arguments, stderr=log, stdout=log, env=_home(tmp_path))
    proxy = Proxy(f"https://localhost:{port}", certificates.authority, receiver)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "proxy.log").read_text()
        try:
            with proxy.client() as client:
                return client.get("/nothing").status_code == 404
        except httpx.TransportError:
            return False

    wait_until(answers)
    yield proxy
    process.terminate()
    process.wait(PATIENCE_SECONDS)


def test_a_proxy_hands_deliveries_on_as_they_are_and_only_those_with_meta_s_certificate(
    proxy: Proxy, certificates: Certificates, data: Path
) -> None:
    body = message("m_1", "naïve \U0001f600")
    forged = {**sign(body), "x-client-subject": "CN=client.webhooks.fbclientcerts.com"}
    with proxy.client(certificates.meta) as meta:
        assert meta.post("/webhook", content=body, headers=sign(body)).status_code == 200
        large = message("m_2", "x" * 3_000_000)
        assert meta.post("/webhook", content=large, headers=sign(large)).status_code == 200
        assert meta.post("/webhook", content=body, headers=sign(b"another")).status_code == 401
        # 502 is Caddy's when the receiver has refused the length before Caddy has.
        too_long = meta.post("/webhook", content=b"x" * 4_300_000, headers=sign(body))
        assert too_long.status_code in (413, 502)
        # As the proxy hands it on, whatever the client says of itself.
        assert (
            meta.post("/webhook", content=body, headers={**forged, "x-client-subject": "CN=evil"}).status_code
            == 200
        )
    with proxy.client(certificates.other) as other:
        assert other.post("/webhook", content=body, headers=forged).status_code == 403
    with proxy.client() as anybody:
        assert anybody.post("/webhook", content=body, headers=forged).status_code == 403
        handshake = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "a-verify-token"}
        assert anybody.get("/webhook", params=handshake).text == "42"
        assert anybody.post("/data-deletion", content=b"signed_request=x").status_code in (400, 401)
        assert anybody.get("/data-deletion/unknown").status_code == 404
        for path in ("/metrics", "/readyz", "/healthz", "/"):
            assert anybody.get(path).status_code == 404
    assert proxy.receiver.stop() == 0
    assert sorted(row["message_id"] for row in published(data)) == ["m_1", "m_2"]


def test_a_request_that_two_servers_could_read_differently_brings_no_second_one_through_a_proxy(
    proxy: Proxy, certificates: Certificates, data: Path
) -> None:
    body = message("m_smuggled")
    hidden = b"POST /webhook HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n" % len(body)
    hidden += b"x-hub-signature-256: " + sign(body)["x-hub-signature-256"].encode() + b"\r\n\r\n" + body
    head = b"POST /webhook HTTP/1.1\r\nhost: localhost\r\n"
    port = httpx.URL(proxy.url).port or 0
    context = ssl.create_default_context(cafile=proxy.authority)
    context.load_cert_chain(certificates.meta)
    for framing in (
        b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" % (len(hidden) + 5),
        b"content-length: 0\r\ncontent-length: %d\r\n\r\n" % len(hidden),
        b"transfer-encoding: xchunked\r\ncontent-length: %d\r\n\r\n" % len(hidden),
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
    ):
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(head + b"connection: close\r\n" + framing + hidden)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        assert answer.count(b"HTTP/1.1 ") <= 1, framing
        assert b"HTTP/1.1 200" not in answer, framing
    assert proxy.receiver.stop() == 0
    assert published(data) == []


def test_the_service_starts_the_receiver_as_it_is() -> None:
    unit = (DEPLOY / "ctm-receiver.service").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    python, *words = command.split()
    assert (python.rpartition("/")[2], words[:2]) == ("python", ["-m", "receiver"])
    assert _parser().parse_args(words[2:]).data == Path("/var/lib/ctm/data")
    assert "UMask=0077" in unit
    assert "KillMode=mixed" in unit


@pytest.mark.parametrize("name", ["ctm-receiver.service", "ctm-report.service", "ctm-report.timer"])
def test_systemd_understands_the_units(tmp_path: Path, name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("LOUDLY: systemd-analyze is not installed, so the unit is not verified")
    for unit in DEPLOY.glob("ctm-*.[st]*"):
        text = re.sub(r"/opt/ctm/.venv/bin/\w+", sys.executable, unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text)
    run = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    assert [line for line in run.stderr.splitlines() if "ctm-re" in line] == []


def test_the_report_is_made_as_the_receivers_user_by_a_command_that_exists() -> None:
    unit = (DEPLOY / "ctm-report.service").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    options = {option for option in command.split() if option.startswith("--")}
    known = {f"--{name.replace('_', '-')}" for name in inspect.signature(report).parameters}
    assert options <= known
    assert "User=ctm-receiver" in unit


def test_the_image_holds_what_the_receiver_needs_and_starts_it(receiver: Receiver) -> None:
    """No container engine is needed for this, and so none is tried."""
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [line.partition(" ")[::2] for line in lines if line and not line.startswith("#")]
    copied = [arguments.split()[0] for step, arguments in steps if step == "COPY"]
    assert copied == ["requirements-receiver.lock", "receiver"]
    assert all((ROOT / name).exists() for name in copied)
    said = dict(steps)
    assert said["USER"] == "ctm"
    assert "--require-hashes" in said["RUN"]
    entry = yaml.safe_load(said["ENTRYPOINT"])
    assert entry[:3] == ["python", "-m", "receiver"]
    assert _parser().parse_args(entry[3:]).host == "0.0.0.0"
    check = yaml.safe_load(said["HEALTHCHECK"].partition("CMD ")[2])
    port = httpx.URL(receiver.url).port
    healthy = subprocess.run([sys.executable, "-c", check[2].replace("8000", str(port))], check=False)
    ill = subprocess.run(
        [sys.executable, "-c", check[2].replace("8000", "9")], capture_output=True, check=False
    )
    assert (healthy.returncode, ill.returncode) == (0, 1)


def documented_command_lines() -> list[tuple[str, str]]:
    """Every ``ctm …`` in the documentation that names an option, with the page it stands on."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(DEPLOY.iterdir())]
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        spans = re.findall(r"`(ctm [^`]*|python -m receiver[^`]*)`", text)
        lines = re.findall(r"^(?:.*?\s)?((?:\S*/)?ctm [a-z].*|\S*python -m receiver.*)$", text, re.MULTILINE)
        found += [
            (page.name, line) for line in (*spans, *lines) if " --" in line and not set("`…") & set(line)
        ]
    return found


def test_every_option_in_the_documentation_exists() -> None:
    program = typer.main.get_command(app)
    lines = documented_command_lines()
    assert len(lines) > 10
    for page, line in lines:
        words = line.split("#")[0].split()
        options = {re.match(r"--[a-z-]*", word)[0] for word in words if word.startswith("--")}  # type: ignore[index]  # a search without a match fails the test
        if words[1:3] == ["-m", "receiver"]:
            known = set(_parser()._option_string_actions)
        else:
            command = program
            for word in words[1:]:
                if not hasattr(command, "commands") or word not in command.commands:
                    break
                command = command.commands[word]
            if hasattr(command, "commands"):  # a placeholder, as in `ctm import KIND --undo ID`
                command = next(iter(command.commands.values()))
            known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        assert options <= known, (page, line)
