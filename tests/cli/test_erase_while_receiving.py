"""A person is erased while the receiver goes on receiving: nobody else is lost, and no log names anybody."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from people import ANNA, ANNA_USER_ID, BEN, CANARY, CLEO, files_with, said, wamid, whatsapp, wrote
from receiving import APP_SECRET, VERIFY_TOKEN, Receiver, data, start, wait_until
from signed_requests import SAID, form, signed

from ctm_analytics.sources import find_sources
from receiver.store.folder import DataFolder
from receiver.store.verification import verify

__all__ = ["data", "start"]

NEEDLES = (ANNA, ANNA_USER_ID, wamid(ANNA, 1)[:24])


def erase(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("CTM_")}
    command = [sys.executable, "-m", "ctm_analytics", "erase", "--data", str(data), *arguments]
    return subprocess.run(command, env=outside, check=False, capture_output=True, text=True)


def message_ids(data: Path) -> list[str]:
    files = find_sources(data).files["raw_events"]
    return sorted(
        mid for file in files for mid in pq.read_table(file, partitioning=None)["message_id"].to_pylist()
    )


def test_a_person_is_erased_while_others_go_on_writing(start: Callable[..., Receiver], data: Path) -> None:
    receiver = start()
    assert receiver.post(whatsapp(said(ANNA, 1, user_id=ANNA_USER_ID), said(BEN, 0))).status_code == 200
    wait_until(lambda: len(message_ids(data)) == 2)
    accepted = [wamid(BEN, 0)]
    is_over = threading.Event()

    def write_on() -> None:
        for serial in range(1, 10_000):
            bodies = (whatsapp(said(BEN, serial)), whatsapp(said(ANNA_USER_ID, serial)))
            assert [receiver.post(body).status_code for body in bodies] == [200, 200]
            accepted.append(wamid(BEN, serial))
            if is_over.wait(0.02):
                return

    writing = threading.Thread(target=write_on)
    writing.start()
    try:
        wait_until(lambda: len(accepted) > 5)
        run = erase(data, "--contact", ANNA)
    finally:
        is_over.set()
        writing.join()
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr.endswith("left: nothing\n")
    # What is delivered of her past after the erasure is as good as never sent.
    assert receiver.post(whatsapp(said(ANNA, 1, user_id=ANNA_USER_ID))).status_code == 200
    assert receiver.stop() == 0
    assert message_ids(data) == sorted(accepted)
    assert files_with(data, *NEEDLES) == []
    assert verify(DataFolder(data)).is_sound
    assert not re.search("|".join([*NEEDLES, BEN, CANARY, APP_SECRET, VERIFY_TOKEN]), receiver.log)


def test_a_deletion_request_of_a_known_contact_is_carried_out_and_its_page_says_so(
    start: Callable[..., Receiver], data: Path
) -> None:
    receiver = start(CTM_PUBLIC_URL="https://hooks.example.com")
    receiver.post(wrote(CLEO, "m_1"))
    receiver.post(wrote("8219453208114555", "m_2"))
    wait_until(lambda: len(message_ids(data)) == 2)
    codes = {
        user_id: receiver.client.post(
            f"{receiver.url}/data-deletion", content=form(signed({**SAID, "user_id": user_id}))
        ).json()["confirmation_code"]
        for user_id in (CLEO, "10220000000000001")
    }
    listed = erase(data)
    assert listed.returncode == 0
    assert f"{codes[CLEO]}  received" in listed.stdout
    assert f"user {CLEO}: a contact here" in listed.stdout
    assert "user 10220000000000001: no contact here" in listed.stdout
    counted = erase(data, "--requests", "--dry-run")
    assert counted.stderr.startswith("would erase: 1 events")
    run = erase(data, "--requests")
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr.endswith(f"closed: request {codes[CLEO]}\n")
    assert files_with(data, CLEO) == []
    assert message_ids(data) == ["m_2"]
    assert "It was carried out on" in receiver.get(f"/data-deletion/{codes[CLEO]}").text
    assert "not been carried out" in receiver.get(f"/data-deletion/{codes['10220000000000001']}").text
    # The other's contact was found out by hand.
    run = erase(data, "--request", codes["10220000000000001"], "--contact", "8219453208114555")
    assert run.returncode == 0
    assert message_ids(data) == []
    assert files_with(data, "10220000000000001", "8219453208114555") == []
    assert "It was carried out on" in receiver.get(f"/data-deletion/{codes['10220000000000001']}").text
    again = erase(data, "--request", codes[CLEO])
    assert (again.returncode, again.stderr.startswith(f"{codes[CLEO]} was closed on")) == (0, True)


def test_a_request_of_nobody_is_closed_as_such(start: Callable[..., Receiver], data: Path) -> None:
    receiver = start(CTM_PUBLIC_URL="https://hooks.example.com")
    body = form(signed({**SAID, "user_id": "10220000000000002"}))
    code = receiver.client.post(f"{receiver.url}/data-deletion", content=body).json()["confirmation_code"]
    assert erase(data, "--request", code).returncode == 0
    assert "nothing is kept under the id" in receiver.get(f"/data-deletion/{code}").text
    record = json.loads((data / "erasures" / "requests" / f"{code}.json").read_text())
    assert record["user_id"] is None
    unknown = erase(data, "--request", "0" * 32)
    assert (unknown.returncode, "is no deletion request" in unknown.stderr) == (2, True)
