import socket
import ssl
import subprocess
import threading

import pytest
from mail_sink import mail_sink

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.delivery import read_target
from ctm_analytics.report.mail import html_of, read_server
from ctm_analytics.report.message import Message
from ctm_analytics.report.sending import DeliveryFailed

HOSTILE = '</td><script>alert("x")</script>\r\nBcc: spy@example.com'


def environ(port, **more):
    return {
        "CTM_SMTP_HOST": "127.0.0.1",
        "CTM_SMTP_PORT": str(port),
        "CTM_SMTP_TLS": "off",
        "CTM_MAIL_FROM": "ctm@example.com",
    } | more


@pytest.fixture
def message(tmp_path):
    page = tmp_path / "weekly" / "2026-11-16_2026-11-22" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<!doctype html><title>Weekly</title>", encoding="utf-8")
    pdf = page.with_name("report.pdf")
    pdf.write_bytes(b"%PDF-1.7")
    tile = {
        "label": "CAC",
        "value": "$33",
        "interval": "95 %: $31 – $34",
        "change": "▼ 4 %",
        "verdict": "better",
    }
    return Message(
        subject="CTM weekly 16–22 Nov: CAC $33 ▼4 %",
        title="Weekly report",
        period="16–22 Nov 2026",
        address="https://ctm.example.com/reports/weekly/2026-11-16_2026-11-22/index.html",
        summary={
            "zone": "Europe/Berlin",
            "headlines": ["A new customer cost $33.", HOSTILE],
            "notices": ["20 of 50 conversations are younger than 7 days."],
            "tiles": [tile],
            "ads": {"columns": ["Ad", "Spend"], "rows": [[HOSTILE, "$620"]], "left_out": 3},
        },
        alerts=("Alert: CAC > $40: “Reel”.",),
        files=(page, pdf),
    )


@pytest.fixture
def sink():
    with mail_sink() as sink:
        yield sink


def parts(mail):
    bodies = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content(), bodies


def test_a_mail_says_the_numbers_in_subject_text_and_html_and_carries_the_report(sink, message):
    read_target("mail:a@example.com, b@example.com", environ(sink.port)).send(message)
    (mail,) = sink.mails
    assert sink.envelopes == [("ctm@example.com", ["a@example.com", "b@example.com"])]
    assert (mail["Subject"], mail["From"]) == ("CTM weekly 16–22 Nov: CAC $33 ▼4 %", "ctm@example.com")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.com>")
    text, html, _ = parts(mail)
    for word in (
        "$33",
        "▼ 4 %",
        "A new customer cost $33.",
        "$620",
        "Alert: CAC",
        "younger than 7 days",
        message.address,
    ):
        assert word in text, word
        assert word.replace(">", "&gt;") in html, word
    assert len(html.encode()) < 100_000
    attached = {part.get_filename(): part.get_content_type() for part in mail.iter_attachments()}
    assert attached == {
        "weekly_2026-11-16_2026-11-22.html": "text/html",
        "weekly_2026-11-16_2026-11-22.pdf": "application/pdf",
    }


def test_numbers_come_before_everything_but_what_is_urgent(message):
    html = html_of(message)
    order = [
        html.index(word)
        for word in ("Alert: CAC", "younger than", "A new customer", "95 %: $31", "$620", "Open the report")
    ]
    assert order == sorted(order)


def test_what_a_name_holds_is_text_in_every_part(sink, message):
    read_target("mail:a@example.com", environ(sink.port)).send(message)
    _, html, _ = parts(sink.mails[0])
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_no_header_can_be_written_by_a_name_or_a_title(sink, message):
    hostile = Message(subject=f"CTM: {HOSTILE}", title=HOSTILE, period="x", failure=HOSTILE)
    read_target("mail:a@example.com", environ(sink.port)).send(hostile)
    (mail,) = sink.mails
    assert mail["Bcc"] is None
    assert sink.envelopes[0][1] == ["a@example.com"]
    assert mail["Subject"].count("\n") == 0
    text, html, _ = parts(mail)
    assert "alert(" in text
    assert "<script" not in html


@pytest.mark.parametrize(
    "address", ["", "a", "a@b c", "a@b\nBcc: c@d", "<a@b>", "a@b;c@d", "a@b,", "ä@b", "-oX@", "a@.b"]
)
def test_what_is_no_address_is_refused_before_anything_runs(address):
    with pytest.raises(InvalidArgument, match="is not a mail address"):
        read_target(f"mail:{address}", environ(25))


def test_a_report_too_large_for_mail_is_named_instead(sink, message, monkeypatch):
    monkeypatch.setattr("ctm_analytics.report.mail.MOST_ATTACHED_BYTES", 40)
    read_target("mail:a@example.com", environ(sink.port)).send(message)
    assert [part.get_filename() for part in sink.mails[0].iter_attachments()] == [
        "weekly_2026-11-16_2026-11-22.html"
    ]


def test_an_address_that_the_server_refuses_is_named_and_the_others_get_it(sink, message):
    sink.refuse["b@example.com"] = "550 no such mailbox"
    with pytest.raises(DeliveryFailed) as caught:
        read_target("mail:a@example.com,b@example.com", environ(sink.port)).send(message)
    assert str(caught.value) == (
        f"127.0.0.1:{sink.port} refuses b@example.com: 550 no such mailbox. Look at the address."
    )
    assert sink.envelopes == [("ctm@example.com", ["a@example.com"])]


def test_a_server_that_refuses_all_addresses_is_one_sentence(sink, message):
    sink.refuse["a@example.com"] = "550 no such mailbox"
    with pytest.raises(DeliveryFailed, match=r"refuses a@example\.com: 550 no such mailbox"):
        read_target("mail:a@example.com", environ(sink.port)).send(message)
    assert sink.mails == []


def test_a_server_that_refuses_the_content_is_one_sentence(sink, message):
    sink.data_answer = "552 too large"
    with pytest.raises(DeliveryFailed, match=r"refused the mail \(552 too large\)"):
        read_target("mail:a@example.com", environ(sink.port)).send(message)


def test_nobody_listening_is_one_sentence(message):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DeliveryFailed) as caught:
        read_target("mail:a@example.com", environ(port)).send(message)
    assert str(caught.value) == (
        f"127.0.0.1:{port} cannot be reached: Connection refused. Look at CTM_SMTP_HOST and CTM_SMTP_PORT."
    )


def test_a_server_that_says_nothing_is_given_up(message, monkeypatch):
    monkeypatch.setattr("ctm_analytics.report.mail.PATIENCE_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DeliveryFailed, match=r"cannot be reached: .*timed out"),
    ):
        read_target("mail:a@example.com", environ(silent.getsockname()[1])).send(message)


@pytest.fixture
def certificate(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate


@pytest.fixture
def tls(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_a_password_is_sent_and_a_wrong_one_is_one_sentence_without_it(
    message, tls, certificate, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_sink(tls=tls, password="correct horse") as sink:
        right = environ(
            sink.port,
            CTM_SMTP_HOST="localhost",
            CTM_SMTP_TLS="starttls",
            CTM_SMTP_USER="ctm",
            CTM_SMTP_PASSWORD="correct horse",
        )
        read_target("mail:a@example.com", right).send(message)
        assert len(sink.mails) == 1
        with pytest.raises(DeliveryFailed) as caught:
            read_target("mail:a@example.com", right | {"CTM_SMTP_PASSWORD": "battery staple"}).send(message)
        assert len(sink.mails) == 1
    assert "takes neither user nor password (535" in str(caught.value)
    assert "battery" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(message, tls):
    words = {"CTM_SMTP_HOST": "localhost", "CTM_SMTP_TLS": "starttls"}
    with mail_sink(tls=tls) as sink:
        with pytest.raises(
            DeliveryFailed, match=r"no safe connection .* Look at CTM_SMTP_TLS and the server's"
        ):
            read_target("mail:a@example.com", environ(sink.port, **words)).send(message)
        assert sink.mails == []


def test_a_server_without_starttls_gets_nothing(sink, message):
    with pytest.raises(
        DeliveryFailed, match=r"STARTTLS extension not supported by server\. Look at CTM_SMTP_TLS"
    ):
        read_target("mail:a@example.com", environ(sink.port, CTM_SMTP_TLS="starttls")).send(message)
    assert sink.mails == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"CTM_SMTP_HOST": ""}, "CTM_SMTP_HOST is not set"),
        ({"CTM_SMTP_TLS": "startls"}, "CTM_SMTP_TLS: 'startls' is none of starttls, tls and off. Did you"),
        ({"CTM_SMTP_PORT": "mail"}, "CTM_SMTP_PORT: 'mail' is not a port. Use e.g. 25."),
        ({"CTM_SMTP_PORT": "99999"}, "CTM_SMTP_PORT: '99999' is not a port."),
        ({"CTM_MAIL_FROM": ""}, "CTM_MAIL_FROM: '' is not a mail address."),
        ({"CTM_SMTP_USER": "ctm"}, "CTM_SMTP_USER is set and CTM_SMTP_PASSWORD is not"),
        (
            {"CTM_SMTP_USER": "ctm", "CTM_SMTP_PASSWORD": "x", "CTM_SMTP_HOST": "smtp.example.com"},
            "CTM_SMTP_TLS is off: the password would travel unencrypted.",
        ),
        ({"CTM_SMTP_USER": "ctm", "CTM_SMTP_PASSWORD": "ké"}, "CTM_SMTP_USER and CTM_SMTP_PASSWORD: only ASCII"),
        ({"CTM_SMTP_PASSWORD": "x\ny"}, "CTM_SMTP_PASSWORD holds more than one line"),
    ],
)  # fmt: skip
def test_a_setting_that_breaks_its_rule_is_named(changed, sentence):
    with pytest.raises(InvalidArgument) as caught:
        read_server(environ(25, **changed))
    assert str(caught.value).startswith(sentence)


def test_the_port_follows_from_the_encryption_and_secrets_from_files(tmp_path):
    (tmp_path / "password").write_text("from a file\n")
    words = {
        "CTM_SMTP_PORT": "",
        "CTM_SMTP_TLS": "",
        "CTM_SMTP_USER": "ctm",
        "CTM_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
    }
    server = read_server(environ(25, **words))
    assert (server.port, server.tls, server.password) == (587, "starttls", "from a file")
    assert "from a file" not in repr(server)
    with pytest.raises(InvalidArgument, match=r"CTM_SMTP_PASSWORD_FILE: .* cannot be read: No such file"):
        read_server(environ(25, **words | {"CTM_SMTP_PASSWORD_FILE": str(tmp_path / "none")}))


def test_a_connection_cut_off_half_way_is_one_sentence(message):
    def hang_up(listening):
        connection, _ = listening.accept()
        connection.sendall(b"220 hello\r\n")
        connection.recv(100)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=hang_up, args=(listening,))
        server.start()
        with pytest.raises(DeliveryFailed, match=r"cannot be reached: Connection unexpectedly closed"):
            read_target("mail:a@example.com", environ(listening.getsockname()[1])).send(message)
        server.join()
