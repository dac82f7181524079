"""`ctm doctor`: what is wrong with this set-up, each with its next step."""

import json
import shutil
from datetime import date, datetime

import pytest

from receiver.store.deletion_requests import close_request, find_request, store_request
from receiver.store.folder import DataFolder


@pytest.fixture
def checks(ctm):
    def run(data):
        outcome = ctm("doctor", "--data", data, "--format", "json")
        return outcome.exit_code, {row["check"]: row for row in json.loads(outcome.stdout)}

    return run


def test_a_sound_folder_with_events_is_ok(checks, world):
    exit_code, found = checks(world.event("anna", datetime(2020, 1, 6, 8)).write())
    assert exit_code == 0
    assert {
        name: found[name]["status"] for name in ("python", "data_folder", "settings", "data")
    } == dict.fromkeys(("python", "data_folder", "settings", "data"), "ok")
    assert found["data"]["detail"] == "1 events can be read"


def test_spend_without_a_single_event_is_a_warning_with_the_next_step(checks, world):
    exit_code, found = checks(world.spend(date(2026, 11, 2), "1", "5.00").write())
    assert (exit_code, found["data"]["status"]) == (0, "warn")
    assert found["data"]["next_step"].startswith("Start `ctm receive`")


def test_a_missing_folder_fails_with_the_next_step(checks, tmp_path):
    exit_code, found = checks(tmp_path / "dta")
    assert exit_code == 1
    assert (found["data_folder"]["status"], found["data_folder"]["detail"]) == (
        "fail",
        f"{tmp_path}/dta does not exist",
    )
    assert found["data_folder"]["next_step"].startswith("mkdir ")


def test_an_unknown_setting_fails(checks, shop):
    (shop / "ctm.toml").write_text("windo_days = 3\n")
    exit_code, found = checks(shop)
    assert exit_code == 1
    assert "Did you mean 'window_days'?" in found["settings"]["detail"]


def test_missing_secrets_are_a_warning_only_and_secrets_are_never_shown(ctm, checks, shop, monkeypatch):
    exit_code, found = checks(shop)
    assert (exit_code, found["receiver"]["status"]) == (0, "warn")
    monkeypatch.setenv("CTM_APP_SECRET", "a-secret-of-the-app")
    monkeypatch.setenv("CTM_VERIFY_TOKEN", "a-token-for-meta")
    assert checks(shop)[1]["receiver"]["status"] == "ok"
    shown = ctm("doctor", "--data", shop)
    assert "a-secret-of-the-app" not in shown.text + shown.stderr
    assert "a-token-for-meta" not in shown.text + shown.stderr


def test_open_deletion_requests_are_a_warning_until_they_are_closed(checks, tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.create()
    assert checks(folder.root)[1]["deletion_requests"]["status"] == "ok"
    code = store_request(folder, "10220000000000001", b"payload")
    found = checks(folder.root)[1]["deletion_requests"]
    assert (found["status"], found["detail"][:27]) == ("warn", "1 open, the oldest since 20")
    assert found["next_step"] == "ctm erase lists them"
    assert "10220000000000001" not in str(found)
    close_request(folder, find_request(folder, code), was_known=False)
    assert checks(folder.root)[1]["deletion_requests"]["status"] == "ok"


def test_what_is_kept_of_answers_is_counted_and_a_folder_that_takes_nothing_is_named(checks, world):
    data = world.event("anna", datetime(2020, 1, 6, 8)).write()
    assert checks(data)[1]["derived"]["status"] == "ok"
    assert checks(data)[1]["derived"]["detail"].endswith(" MB; may be deleted")
    shutil.rmtree(data / "derived")
    (data / "derived").write_text("in the way")
    found = checks(data)[1]["derived"]
    assert (found["status"], found["next_step"]) == ("warn", f"Delete {data / 'derived'}")
