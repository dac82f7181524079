"""Settings: from ctm.toml, from the environment, and every wrong one named."""

from pathlib import Path

import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.settings import Settings, load_settings


def test_without_a_word_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_the_data_folders_own_file_comes_before_the_one_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "ctm.toml").write_text("window_days = 14")
    assert load_settings(data, {}).window_days == 14
    (data / "ctm.toml").write_text("window_days = 28")
    assert load_settings(data, {}).window_days == 28


def test_the_environment_comes_first(tmp_path: Path) -> None:
    (tmp_path / "ctm.toml").write_text('target_cac = 40\nbot_app_ids = ["1"]')
    settings = load_settings(tmp_path, {"CTM_TARGET_CAC": "32.5", "CTM_BOT_APP_IDS": "2, 3"})
    assert (settings.target_cac, settings.bot_app_ids) == (32.5, ("2", "3"))


def test_the_receivers_keys_are_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "ctm.toml").write_text("store_text = true\nmax_body_bytes = 4194304")
    assert load_settings(tmp_path, {}) == Settings()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("windowdays = 7", "'windowdays' is not a setting. Did you mean 'window_days'?"),
        (
            'default_country = "Brazil"',
            "default_country: 'Brazil' is not an ISO 3166 code of two capital letters. Use",
        ),
        ("max_rate_age_days = 32", "max_rate_age_days: 32 is not between 0 and 31 days."),
        ("window_days = 0", "window_days: 0 is not between 1 and 365 days."),
        ('window_days = "7"', "window_days: '7' is not a number."),
        ("window_days = 7.5", "window_days: '7.5' is not a whole number."),
        ("window_days = true", "window_days: True is not a number."),
        ("reporting_timezone = 1", "reporting_timezone: 1 is not text."),
        ('reporting_timezone = "Europe/Berlim"', "Did you mean 'Europe/Berlin'?"),
        ('reporting_currency = "euro"', "reporting_currency: 'euro' is not an ISO 4217 code."),
        (
            'attribution_model = "last"',
            "attribution_model: 'last' is not a model. Did you mean 'last_touch'?",
        ),
        ("target_cac = nan", "target_cac: nan is not an amount above 0."),
        ("conversation_gap_hours = inf", "conversation_gap_hours: inf is not above 0 and at most 525,600."),
        ("touch_gap_minutes = -1", "touch_gap_minutes: -1 is not above 0"),
        ('bot_app_ids = "1"', "bot_app_ids: '1' is not a list of app ids."),
        (
            'memory_limit = "much"',
            "memory_limit: 'much' is neither a size such as '4GB' nor a share such as '50%'.",
        ),
        ("window_days = ", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_rule(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "ctm.toml").write_text(line)
    with pytest.raises(InvalidArgument) as wrong:
        load_settings(tmp_path, {})
    assert sentence in str(wrong.value)


def test_text_in_the_environment_that_is_no_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="window_days: 'seven' is not a whole number"):
        load_settings(tmp_path, {"CTM_WINDOW_DAYS": "seven"})
