import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.delivery import read_target
from ctm_analytics.report.message import Message
from ctm_analytics.report.sending import DeliveryFailed
from ctm_analytics.report.slack import payload

SECRET = "T000-SECRET"
MESSAGE = Message(
    subject="CTM weekly 16–22 Nov: CAC $33",
    title="Weekly report",
    period="16–22 Nov 2026",
    address="https://ctm.example.com/reports/weekly/2026-11-16_2026-11-22/index.html",
    summary={
        "headlines": ["The safest choice is “<!channel> <https://evil.example|Reel> & Co”."],
        "tiles": [{"label": "CAC", "value": "$33", "interval": "", "change": "▼ 4 %", "verdict": "better"}]
        * 12,
    },
    alerts=("Alert: CAC > $40.",),
)


@pytest.fixture
def sink():
    """A server that keeps what it is posted and answers as it is told."""

    class Sink(ThreadingHTTPServer):
        bodies, answer, words, is_slow = (), 200, b"ok", threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.bodies += ((self.path, self.headers["Content-Type"], json.loads(body)),)
            if self.server.answer == 0:
                self.server.is_slow.wait(10)
                return
            self.send_response(self.server.answer)
            if self.server.answer == 302:
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.end_headers()
            self.wfile.write(self.server.words)

        def log_message(self, *_):
            pass

    with Sink(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.is_slow.set()
        server.shutdown()
        serving.join()


def send(sink, message=MESSAGE):
    url = f"http://127.0.0.1:{sink.server_port}/services/{SECRET}"
    read_target("slack:", {"CTM_SLACK_URL": url}).send(message)


def test_a_message_reaches_slack_as_text_and_blocks(sink):
    send(sink)
    ((path, kind, body),) = sink.bodies
    assert (path, kind) == (f"/services/{SECRET}", "application/json; charset=utf-8")
    assert body["text"] == MESSAGE.subject
    assert [block["type"] for block in body["blocks"]] == [
        "header",
        "section",
        "section",
        "section",
        "context",
    ]
    assert body["blocks"][1]["text"]["text"] == ":warning: Alert: CAC &gt; $40."
    assert body["blocks"][3]["fields"][0]["text"] == "*CAC*\n$33 ▼ 4 %"
    assert MESSAGE.address in body["blocks"][4]["elements"][0]["text"]


def test_a_name_can_neither_mention_nor_link():
    written = payload(MESSAGE)["blocks"][2]["text"]["text"]
    assert written == "The safest choice is “&lt;!channel&gt; &lt;https://evil.example|Reel&gt; &amp; Co”."


def test_slack_gets_no_more_than_it_takes():
    long = Message(subject="x" * 400, title="x", period="x", failure="y" * 5000, summary=MESSAGE.summary)
    header, above, _, numbers, _ = payload(long)["blocks"]
    assert (len(header["text"]["text"]), len(numbers["fields"])) == (150, 10)
    assert len(above["text"]["text"]) <= 3000


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (500, "Slack answered 500 (no_service). Look at the webhook in Slack's settings."),
        (404, "Slack answered 404 (no_service). Look at the webhook in Slack's settings."),
        (302, "Slack answered 302 (no_service). Look at the webhook in Slack's settings."),
        (0, "Slack did not answer within 0.3 s. Deliver it again."),
    ],
)
def test_what_slack_does_not_take_is_one_sentence_without_its_address(sink, monkeypatch, answer, sentence):
    monkeypatch.setattr("ctm_analytics.report.slack.PATIENCE_SECONDS", 0.3)
    sink.answer, sink.words = answer, b"no_service"
    with pytest.raises(DeliveryFailed) as caught:
        send(sink)
    assert str(caught.value) == sentence
    assert [path for path, _, _ in sink.bodies] == [f"/services/{SECRET}"]


def test_nobody_listening_is_one_sentence_without_the_address():
    with pytest.raises(DeliveryFailed) as caught:
        read_target("slack:", {"CTM_SLACK_URL": f"http://127.0.0.1:9/{SECRET}"}).send(MESSAGE)
    assert str(caught.value) == (
        "Slack cannot be reached: Connection refused. Look at the network, and deliver it again."
    )


@pytest.mark.parametrize(
    ("words", "environ", "sentence"),
    [
        ("slack:https://hooks.slack.com/" + SECRET, {}, "--deliver: slack: takes a name, not a URL"),
        ("slack:", {}, "CTM_SLACK_URL is not set: create an incoming webhook"),
        ("slack:ops", {}, "CTM_SLACK_URL_OPS is not set"),
        (
            "slack:",
            {"CTM_SLACK_URL": "http://hooks.slack.com/" + SECRET},
            "CTM_SLACK_URL is no https:// address.",
        ),
        ("slack:", {"CTM_SLACK_URL": "https://ä/" + SECRET}, "CTM_SLACK_URL is no https:// address."),
    ],
)
def test_a_webhook_stands_in_the_environment_and_is_never_shown(words, environ, sentence):
    with pytest.raises(InvalidArgument) as caught:
        read_target(words, environ)
    assert str(caught.value).startswith(sentence)
    assert SECRET not in str(caught.value)


def test_the_name_of_a_target_is_that_of_the_channel_and_not_its_address(sink):
    url = f"http://127.0.0.1:{sink.server_port}/ops"
    target = read_target("slack:ops", {"CTM_SLACK_URL_OPS": url})
    target.send(MESSAGE)
    assert (target.name, sink.bodies[0][0]) == ("slack:ops", "/ops")
