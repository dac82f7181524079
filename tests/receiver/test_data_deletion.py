"""Meta's data-deletion callback, on a real socket: kept before it is answered, and nobody is named anywhere."""

import json
import re
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from receiving import Receiver
from signed_requests import SAID, form, signed

from receiver.store.deletion_requests import close_request, find_request, open_requests
from receiver.store.folder import DataFolder

PUBLIC_URL = "https://hooks.example.com/meta"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One receiver that knows where the world reaches it."""
    receiver = Receiver(
        tmp_path_factory.mktemp("deletion") / "data", [], {"CTM_PUBLIC_URL": PUBLIC_URL + "/"}
    )
    yield receiver
    receiver.kill()


def ask(receiver: Receiver, body: bytes, **headers: str) -> httpx.Response:
    headers = {"content-type": "application/x-www-form-urlencoded", **headers}
    return receiver.client.post(f"{receiver.url}/data-deletion", content=body, headers=headers)


def requests_of(receiver: Receiver) -> list[Path]:
    return sorted((receiver.data / "erasures" / "requests").iterdir())


def test_a_request_is_on_disk_when_it_is_answered_with_its_page_and_code(receiver: Receiver) -> None:
    answer = ask(receiver, form(signed({**SAID, "user_id": "4711"})), host="evil.example")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    code = answer.json()["confirmation_code"]
    assert answer.json() == {"url": f"{PUBLIC_URL}/data-deletion/{code}", "confirmation_code": code}
    assert re.fullmatch(r"[0-9a-f]{32}", code)
    path = receiver.data / "erasures" / "requests" / f"{code}.json"
    assert json.loads(path.read_text())["user_id"] == "4711"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_request_sent_again_is_one_request(receiver: Receiver) -> None:
    body = form(signed({**SAID, "user_id": "4712"}))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ask(receiver, body), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["confirmation_code"] for answer in answers}) == 1
    kept = [request for request in open_requests(DataFolder(receiver.data)) if request.user_id == "4712"]
    assert len(kept) == 1


def test_a_request_that_is_carried_out_stays_so_when_it_is_sent_again(receiver: Receiver) -> None:
    folder = DataFolder(receiver.data)
    body = form(signed({**SAID, "user_id": "4713"}))
    code = ask(receiver, body).json()["confirmation_code"]
    found = find_request(folder, code)
    assert found is not None
    close_request(folder, found, was_known=True)
    assert ask(receiver, body).json()["confirmation_code"] == code
    again = find_request(folder, code)
    assert again is not None
    assert (again.user_id, again.closed_at is None) == (None, False)


def test_the_code_cannot_be_made_without_the_folders_secret(
    receiver: Receiver, start: Callable[..., Receiver]
) -> None:
    body = form(signed({**SAID, "user_id": "4714"}))
    other = start(CTM_PUBLIC_URL=PUBLIC_URL)
    assert ask(receiver, body).json()["confirmation_code"] != ask(other, body).json()["confirmation_code"]


def test_an_instagram_apps_request_may_be_signed_with_its_own_secret(start: Callable[..., Receiver]) -> None:
    receiver = start(CTM_PUBLIC_URL=PUBLIC_URL, CTM_INSTAGRAM_APP_SECRET="an-instagram-secret")
    for secret, status in ((b"an-instagram-secret", 200), (b"an-app-secret", 200), (b"another", 401)):
        assert ask(receiver, form(signed({**SAID, "user_id": "4719"}, secret))).status_code == status


def test_the_page_says_how_it_stands_and_names_nobody(receiver: Receiver) -> None:
    code = ask(receiver, form(signed({**SAID, "user_id": "4715000111"}))).json()["confirmation_code"]
    page = receiver.get(f"/data-deletion/{code}")
    assert page.status_code == 200
    assert "not been carried out yet" in page.text
    folder = DataFolder(receiver.data)
    found = find_request(folder, code)
    assert found is not None
    close_request(folder, found, was_known=True)
    done = receiver.get(f"/data-deletion/{code}")
    assert f"carried out on {found.received_at:%Y}" in done.text
    for answer in (page, done):
        assert code in answer.text
        assert "4715000111" not in answer.text + str(answer.headers)
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "code",
    [
        "0" * 32,
        "x",
        "../../pepper",
        "%2e%2e%2fpepper",
        "..%2F..%2Fpepper",
        "<script>",
        "A" * 32,
        "%00",
        "é",
        "*",
    ],
)
def test_there_is_no_page_of_a_code_that_was_never_given(receiver: Receiver, code: str) -> None:
    answer = receiver.get(f"/data-deletion/{code}")
    assert answer.status_code == 404
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(signed(SAID, b"another-secret")), 401),
        (form(signed(SAID)).replace(b"signed_request=", b"signed_request=A"), 400),
        (form(signed({"algorithm": "HMAC-SHA256"})), 400),
        (form(signed(b"[" * 3000)), 400),
        (b"", 400),
        (b"\x00\xff" * 100, 400),
        (b"a=" + b"b" * 17_000, 413),
        (b"a&" * 8_000, 400),
        (b'--x\r\ncontent-disposition: form-data; name="signed_request"\r\n\r\n' + signed(SAID).encode(), 400),
    ],
)  # fmt: skip
def test_what_meta_has_not_signed_in_its_form_is_refused_and_not_kept(
    receiver: Receiver, body: bytes, status: int
) -> None:
    before = requests_of(receiver)
    assert ask(receiver, body).status_code == status
    assert requests_of(receiver) == before


def test_an_endless_body_is_cut_off(receiver: Receiver) -> None:
    chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    head = b"POST /data-deletion HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = receiver.exchange(head + chunk * 40)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1") == 1


def test_other_methods_are_not_allowed(receiver: Receiver) -> None:
    assert receiver.get("/data-deletion").status_code == 405
    assert receiver.client.post(f"{receiver.url}/data-deletion/{'0' * 32}").status_code == 405


def test_a_request_that_cannot_be_kept_is_not_promised(start: Callable[..., Receiver], data: Path) -> None:
    receiver = start(CTM_PUBLIC_URL=PUBLIC_URL)
    body = form(signed({**SAID, "user_id": "4716000111"}))
    requests = data / "erasures" / "requests"
    requests.rmdir()
    requests.write_text("a file where the folder was")
    assert ask(receiver, body).status_code == 503
    requests.unlink()
    requests.mkdir()
    assert ask(receiver, body).status_code == 200


def test_without_a_public_url_nothing_is_promised_and_the_log_says_why(
    start: Callable[..., Receiver],
) -> None:
    receiver = start()
    assert ask(receiver, form(signed(SAID, b"another"))).status_code == 401
    answer = ask(receiver, form(signed({**SAID, "user_id": "4717000111"})))
    assert answer.status_code == 503
    assert "public_url is not set" in receiver.log
    assert requests_of(receiver) == []


def test_the_log_names_neither_people_nor_codes(receiver: Receiver) -> None:
    code = ask(receiver, form(signed({**SAID, "user_id": "4718000111"}))).json()["confirmation_code"]
    receiver.get(f"/data-deletion/{code}")
    assert not re.search(r"471[0-9]{7}|[0-9a-f]{32}", receiver.log)
