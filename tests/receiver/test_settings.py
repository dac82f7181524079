from pathlib import Path

import pytest

from receiver.errors import InvalidSetting
from receiver.settings import load_retention_days, load_settings

SECRETS = {"CTM_APP_SECRET": "one", "CTM_VERIFY_TOKEN": "token"}


def test_several_secrets_are_valid_while_they_rotate(tmp_path: Path) -> None:
    environ = {**SECRETS, "CTM_APP_SECRET": "old, new,", "CTM_INSTAGRAM_APP_SECRET": "instagram"}
    settings = load_settings(tmp_path, environ)
    assert (settings.app_secrets, settings.instagram_app_secrets) == ((b"old", b"new"), (b"instagram",))


def test_secrets_can_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file\n")
    (tmp_path / "token").write_text("token-from-a-file\n")
    settings = load_settings(
        tmp_path,
        {"CTM_APP_SECRET_FILE": str(tmp_path / "secret"), "CTM_VERIFY_TOKEN_FILE": str(tmp_path / "token")},
    )
    assert (settings.app_secrets, settings.verify_token) == ((b"from-a-file",), "token-from-a-file")


def test_settings_never_show_their_secrets(tmp_path: Path) -> None:
    environ = {"CTM_APP_SECRET": "hidden-secret", "CTM_VERIFY_TOKEN": "hidden-token"}
    assert "hidden" not in repr(load_settings(tmp_path, environ))


@pytest.mark.parametrize("place", ["data", "."])
def test_settings_are_read_in_the_data_folder_or_beside_it(tmp_path: Path, place: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / place / "ctm.toml").write_text('store_text = true\nbot_app_ids = ["12"]\nwindow_days = 7\n')
    settings = load_settings(data, SECRETS)
    assert settings.store_text
    assert settings.bot_app_ids == {"12"}


def test_a_public_url_is_kept_without_the_slash_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "ctm.toml").write_text('public_url = "https://hooks.example.com:8443/meta/"\n')
    assert load_settings(tmp_path, SECRETS).public_url == "https://hooks.example.com:8443/meta"
    assert (
        load_settings(tmp_path, {**SECRETS, "CTM_PUBLIC_URL": "https://b.example"}).public_url
        == "https://b.example"
    )


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    (tmp_path / "ctm.toml").write_text('store_text = true\nhuman_app_ids = ["12"]\n')
    settings = load_settings(tmp_path, {**SECRETS, "CTM_STORE_TEXT": "0", "CTM_HUMAN_APP_IDS": "34, 56"})
    assert not settings.store_text
    assert settings.human_app_ids == {"34", "56"}


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CTM_VERIFY_TOKEN": "token"}, "CTM_APP_SECRET is not set"),
        ({**SECRETS, "CTM_APP_SECRET": " , "}, "CTM_APP_SECRET is not set"),
        ({"CTM_APP_SECRET": "one"}, "CTM_VERIFY_TOKEN is not set"),
        ({**SECRETS, "CTM_APP_SECRET_FILE": "x"}, "CTM_APP_SECRET and CTM_APP_SECRET_FILE are both set"),
        ({**SECRETS, "CTM_INSTAGRAM_APP_SECRET_FILE": "/no/such"}, "'/no/such' cannot be read: No such file"),
        ({**SECRETS, "CTM_STORE_TEXT": "maybe"}, "store_text: 'maybe' is not a switch"),
        ({**SECRETS, "CTM_MAX_BODY_BYTES": "4 MB"}, "max_body_bytes: '4 MB' is not a whole number of bytes"),
        ({**SECRETS, "CTM_MAX_BODY_BYTES": "1000"}, "max_body_bytes: '1000' is not a whole number of bytes"),
        ({**SECRETS, "CTM_BOT_APP_IDS": "12,bot"}, "bot_app_ids: 'bot' is not an app id"),
        (
            {**SECRETS, "CTM_PUBLIC_URL": "http://hooks.example.com"},
            "public_url: 'http://hooks.example.com' is not",
        ),
        ({**SECRETS, "CTM_PUBLIC_URL": "https://a.example/?x=<y>"}, "public_url: 'https://a.example"),
        (
            {**SECRETS, "CTM_PUBLIC_URL": "https://user@a.example"},
            "public_url: 'https://user@a.example' is not",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_rule(
    tmp_path: Path, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidSetting, match=message):
        load_settings(tmp_path, environ)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("store_text = ", "not valid TOML"),
        ("human_app_ids = 12", "human_app_ids: 12 is not a list of app ids"),
        ("store_text = 2", "store_text: 2 is not a switch"),
        ("max_body_bytes = 4e6", "max_body_bytes: 4000000.0 is not a whole number"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, toml: str, message: str) -> None:
    (tmp_path / "ctm.toml").write_text(toml)
    with pytest.raises(InvalidSetting, match=message):
        load_settings(tmp_path, SECRETS)


@pytest.mark.parametrize("content", ["\ufeffsecret".encode(), b"secret\r\n"])
def test_what_an_editor_adds_to_a_file_is_no_part_of_the_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    environ = {"CTM_APP_SECRET_FILE": str(tmp_path / "secret"), "CTM_VERIFY_TOKEN": "token"}
    assert load_settings(tmp_path, environ).app_secrets == (b"secret",)


@pytest.mark.parametrize("name", ["CTM_APP_SECRET", "CTM_INSTAGRAM_APP_SECRET", "CTM_VERIFY_TOKEN"])
@pytest.mark.parametrize("text", ["hidden\nlines", "hidd\u00e9n", "hidden\udcff"])
def test_a_secret_that_can_only_be_a_mistake_is_refused(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=rf"^{name} holds more than one line") as refused:
        load_settings(tmp_path, {**SECRETS, name: text})
    assert "hidd" not in str(refused.value)


def test_events_are_kept_for_ever_unless_a_number_of_days_is_set(tmp_path: Path) -> None:
    assert load_settings(tmp_path, SECRETS).retention_days is None
    assert load_settings(tmp_path, {**SECRETS, "CTM_RETENTION_DAYS": "0"}).retention_days is None
    (tmp_path / "ctm.toml").write_text("retention_days = 400\n")
    assert load_settings(tmp_path, SECRETS).retention_days == 400
    assert load_retention_days(tmp_path, {"CTM_RETENTION_DAYS": "30"}) == 30


def test_the_header_of_the_client_certificate_is_a_name_in_any_case(tmp_path: Path) -> None:
    environ = {**SECRETS, "CTM_CLIENT_CERTIFICATE_HEADER": "X-Client-Subject"}
    assert load_settings(tmp_path, environ).client_certificate_header == "x-client-subject"
    assert load_settings(tmp_path, SECRETS).client_certificate_header == ""
    with pytest.raises(InvalidSetting, match="client_certificate_header: 'a b' is not the name of a header"):
        load_settings(tmp_path, {**SECRETS, "CTM_CLIENT_CERTIFICATE_HEADER": "a b"})
