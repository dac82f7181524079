"""Questions are asked in the words of the command line; a wrong word is answered with the right one."""

import inspect

import pytest
from worlds import START, World

from ctm_analytics import InvalidArgument, Workbench
from ctm_analytics.answers import latency, outlook, performance, quality, reconciliation
from ctm_analytics.calls import choices
from ctm_analytics.columns import PRESETS
from ctm_analytics.questions import BASES, FilterWords
from ctm_analytics.settings import ATTRIBUTION_MODELS, PLATFORMS

QUESTIONS = sorted(name for name, method in vars(Workbench).items() if hasattr(method, "__signature__"))


@pytest.fixture
def shop(world: World) -> Workbench:
    world.event("p", START, ad_id="1")
    world.spend(START.date(), "1", "50.00", ad_name="Autumn Sale", campaign_id="7", campaign_name="Shoes")
    return world.spend(START.date(), "2", "50.00", ad_name="AUTUMN shoes").open()


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name not in ("tables", "names")])
def test_an_unknown_keyword_is_answered_with_the_one_that_was_meant(shop: Workbench, name: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"^{name}: there is no 'as_off'\. Did you mean 'as_of'\?"):
        getattr(shop, name)(as_off="2026-11-30T00:00:00+00:00")


def test_a_method_s_own_words_are_suggested_too(shop: Workbench) -> None:
    with pytest.raises(InvalidArgument, match="Did you mean 'window_days'"):
        shop.ads(windowdays=3)  # type: ignore[call-arg]  # the mistake that is meant


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_word_stands_in_the_signature(name: str) -> None:
    words = inspect.signature(getattr(Workbench, name)).parameters
    assert not [word for word in words if word in ("filters", "kwargs")]
    takes_filters = name in (
        "ads",
        "outlook",
        "attribution",
        "cohorts",
        "latency",
        "conversations",
        "funnel",
        "speed",
    )
    assert not takes_filters or words.keys() >= FilterWords.__annotations__.keys()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_shows_how_it_is_asked(name: str) -> None:
    text = inspect.getdoc(getattr(Workbench, name)) or ""
    assert f">>> workbench.{name}(" in text


@pytest.mark.parametrize(
    ("name", "word", "known"),
    [
        ("ads", "by", performance.KEYS),
        ("ads", "columns", PRESETS),
        ("ads", "basis", BASES),
        ("ads", "model", ATTRIBUTION_MODELS),
        ("ads", "platform", PLATFORMS),
        ("outlook", "by", outlook.CANDIDATES),
        ("cohorts", "by", performance.KEYS),
        ("latency", "by", latency.KEYS),
        ("latency", "turns", latency.TURNS),
        ("reconciliation", "by", reconciliation.KEYS),
        ("quality", "by", quality.VIEWS),
        ("inbox", "platform", PLATFORMS),
    ],
)
def test_the_values_that_are_offered_are_those_that_are_taken(name: str, word: str, known: object) -> None:
    assert sorted(choices(getattr(Workbench, name), word)) == sorted(known)  # type: ignore[call-overload]  # known: a sequence of text


def test_an_ad_is_found_whatever_its_capitals(shop: Workbench) -> None:
    assert shop.ads(ad="autumn SALE").df["ad_name"].tolist() == ["Autumn Sale"]
    assert "ad Autumn Sale" in shop.ads(ad="autumn SALE").about
    assert shop.ads(campaign="shoes").df["campaign_id"].tolist() == ["7"]


def test_a_part_of_a_name_brings_the_ads_that_hold_it(shop: Workbench) -> None:
    with pytest.raises(InvalidArgument, match="Did you mean 'AUTUMN shoes' or 'Autumn Sale'"):
        shop.ads(ad="autumn")


def test_two_names_that_only_capitals_tell_apart_are_not_guessed(world: World) -> None:
    for ad_id, name in (("1", "Sale"), ("2", "SALE")):
        world.spend(START.date(), ad_id, "50.00", ad_name=name)
    workbench = world.open()
    assert workbench.ads(ad="SALE").df["ad_id"].tolist() == ["2"]
    with pytest.raises(InvalidArgument, match="no ad 'sale'"):
        workbench.ads(ad="sale")


def test_only_what_a_user_calls_is_listed(shop: Workbench) -> None:
    assert not [name for each in (shop, shop.ads()) for name in dir(each) if name.startswith("_")]
    assert {"ads", "latency", "sql", "currency"} <= set(dir(shop))
    assert {"df", "figure", "sql", "about"} <= set(dir(shop.ads()))
