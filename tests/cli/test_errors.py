"""What goes wrong is one or two sentences with the value, the rule and the next step, and the contract's exit code."""

from datetime import date, datetime

import pytest

DAY = date(2026, 11, 2)
MOMENT = datetime(2026, 11, 3)
AS_OF = "2026-11-30T00:00:00+00:00"


@pytest.fixture
def refusal(ctm):
    """Run a command that must fail: its exit code and its sentence."""

    def run(*arguments):
        outcome = ctm(*arguments)
        assert outcome.stdout == b"", "data and errors do not mix"
        assert outcome.stderr.startswith("ctm: ")
        assert "Traceback" not in outcome.stderr
        return outcome.exit_code, outcome.stderr.removeprefix("ctm: ").removesuffix("\n")

    return run


def test_a_missing_folder_is_wrong_usage(refusal, tmp_path):
    assert refusal("ads", "--data", tmp_path / "dta") == (
        2,
        f"{tmp_path}/dta: no such folder. Name the data folder, or run `ctm demo` first.",
    )


@pytest.mark.parametrize("command", [("receive",), ("erase", "--contact", "7"), ("compact",), ("doctor",)])
def test_a_url_is_not_taken_for_a_folder_of_that_name(refusal, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    exit_code, sentence = refusal(*command, "--data", "s3://acme/ctm")
    assert exit_code == 2
    assert sentence.startswith("data: 's3:/acme/ctm' is no folder of this machine.")
    assert "events_url" in sentence
    assert not (tmp_path / "s3:").exists()


def test_an_empty_folder_is_no_data(refusal, tmp_path):
    assert refusal("ads", "--data", tmp_path) == (
        4,
        f"{tmp_path}: no events and no imports here yet. Capture with `ctm receive`, import with `ctm import`,"
        " or look around with `ctm demo`.",
    )


def test_a_period_in_which_nobody_wrote_says_when_people_did(refusal, shop):
    assert refusal(
        "latency", "--data", shop, "--as-of", AS_OF, "--since", "2020-01-01", "--until", "2020-01-02"
    ) == (
        4,
        f"{shop}: nobody wrote in 1–2 Jan 2020 with these filters."
        " The conversations run from 2026-11-02 to 2026-11-02.",
    )


def test_spend_alone_says_that_nothing_was_captured(refusal, world):
    data = world.spend(DAY, "101", "50.00").write()
    assert refusal("latency", "--data", data, "--as-of", AS_OF) == (
        4,
        f"{data}: nobody wrote in all days with these filters. Nothing has been captured yet: run `ctm receive`.",
    )


@pytest.mark.parametrize("question", ["ads", "conversations", "funnel", "quality"])
def test_a_period_without_data_says_where_the_data_are(refusal, shop, question):
    assert refusal(
        question, "--data", shop, "--as-of", AS_OF, "--since", "2020-01-01", "--until", "2020-01-02"
    ) == (
        4,
        f"{shop}: nothing for 1–2 Jan 2020 with these filters. The data run from 2026-11-02 to 2026-11-02.",
    )


WRONG = {
    "a day": (
        ("ads", "--since", "2026-13-01"),
        "since: '2026-13-01' is not a date. Use YYYY-MM-DD, e.g. 2026-11-16.",
    ),
    "a period that ends before it starts": (
        ("funnel", "--since", "2026-11-03", "--until", "2026-11-02"),
        "since 2026-11-03 is after until 2026-11-02. Swap them.",
    ),
    "an instant without a zone": (
        ("ads", "--as-of", "2026-11-30"),
        "as_of: '2026-11-30' is not an instant with a zone. Use e.g. 2026-11-23T07:00:00+00:00.",
    ),
    "an ad": (
        ("ads", "--ad", "Autumn sale"),
        "ad: there is no ad 'Autumn sale'. Did you mean 'Autumn \"sale\"'?",
    ),
    "a campaign": (
        ("conversations", "--campaign", "Shoes winter"),
        "campaign: there is no campaign 'Shoes winter'. Did you mean 'Shoes, winter'?",
    ),
    "an account": (
        ("latency", "--account", "page-2"),
        "account: there is no account 'page-2'. Did you mean 'page-1'?",
    ),
    "a platform": (
        ("ads", "--platform", "mesenger"),
        "platform: 'mesenger' is not one. Did you mean 'messenger'? Use messenger, instagram, whatsapp.",
    ),
    "a grouping": (
        ("ads", "--by", "adst"),
        "by: 'adst' is not one. Did you mean 'adset'? Use ad, adset, campaign, platform, day, week, total.",
    ),
    "a choice of columns": (
        ("ads", "--columns", "sale"),
        "columns: 'sale' is not one. Did you mean 'sales'? Use delivery, messaging, sales, all.",
    ),
    "a model": (
        ("ads", "--model", "lasttouch"),
        "model: 'lasttouch' is not one. Did you mean 'last_touch'? Use last_touch, first_touch, linear,"
        " position_based, time_decay, markov, shapley.",
    ),
    "a window": (
        ("ads", "--window-days", "0"),
        "window_days: '0' is neither a whole number from 1 to 365 nor 'lifetime'. Use e.g. 7.",
    ),
    "a basis": (
        ("ads", "--basis", "calender"),
        "basis: 'calender' is not one. Did you mean 'calendar'? Use cohort, calendar.",
    ),
    "a responder": (
        ("latency", "--responder", "humans"),
        "responder: 'humans' is not one. Did you mean 'human'? Use any, human.",
    ),
    "a format": (
        ("ads", "--format", "cvs"),
        "--format: 'cvs' is not one. Did you mean 'csv'? Use table, csv, json, parquet.",
    ),
}


@pytest.mark.parametrize(("arguments", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_word_is_named_with_its_rule_and_the_next_step(refusal, shop, arguments, sentence):
    moment = () if "--as-of" in arguments else ("--as-of", AS_OF)
    assert refusal(*arguments, *moment, "--data", shop) == (2, sentence)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("select openedat from conversations", '"openedat" not found'),
        ("from conversation", "there is no relation 'conversation'. Did you mean 'conversations'?"),
    ],
)
def test_an_unknown_column_or_relation_in_sql_is_named_with_where_to_look(refusal, shop, query, value):
    code, sentence = refusal("sql", query, "--data", shop)
    assert code == 2
    assert value in sentence
    assert "`ctm tables` lists the" in sentence


def test_an_unknown_relation_has_no_meaning(refusal):
    sentence = "tables: there is no relation 'adz'. Did you mean 'ads'? `ctm tables` lists them."
    assert refusal("tables", "adz") == (2, sentence)


def test_an_unknown_notebook_is_named_before_anything_else_is_said(refusal, shop):
    code, sentence = refusal("report", "weakly", "--data", shop)
    assert code == 1
    assert "there is no such notebook. Did you mean 'weekly'?" in sentence


def test_an_empty_statement_is_refused(refusal, shop):
    code, sentence = refusal("sql", "", "--data", shop)
    assert code == 2
    assert sentence.startswith("sql: No statement. Write one SELECT.")


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("delete from conversations", "DELETE"),
        ("drop view conversations", "DROP"),
        ("create table mine as select 1 as a", "CREATE"),
        ("copy (select 1 as a) to 'mine.csv'", "COPY"),
    ],
)
def test_a_statement_that_writes_is_refused_with_what_to_do_instead(
    refusal, shop, tmp_path, monkeypatch, statement, verb
):
    monkeypatch.chdir(tmp_path)
    code, sentence = refusal("sql", statement, "--data", shop)
    assert (code, sentence.startswith(f"sql: Data are only read here, so {verb} is refused. ")) == (2, True)
    assert "--output FILE" in sentence
    assert not (tmp_path / "mine.csv").exists()


def test_a_pivot_is_a_question(ctm, shop):
    run = ctm("sql", "pivot conversations on platform using count(*)", "--data", shop, "--format", "csv")
    assert run.exit_code == 0
    assert "messenger" in run.text


def test_two_columns_of_one_name_are_refused_not_lost(refusal, shop):
    assert refusal("sql", "select 1 as a, 2 as a", "--data", shop) == (
        2,
        "sql: two columns are called 'a'. Name each with `as`.",
    )


def test_a_syntax_error_in_sql_is_shown_where_it_is(refusal, shop):
    code, sentence = refusal("sql", "selec 1", "--data", shop)
    assert code == 2
    assert sentence.splitlines()[1:3] == ["LINE 1: selec 1", "        ^^^^^"]


def test_amounts_in_two_currencies_need_a_reporting_currency(refusal, world):
    data = world.spend(DAY, "101", "50.00").sale("S1", MOMENT, "80.00", currency="EUR").write()
    assert refusal("ads", "--data", data, "--as-of", AS_OF) == (
        2,
        f"{data}: amounts are in EUR, USD. Set reporting_currency in ctm.toml to one of them and import the"
        " others' rates with `ctm import rates`.",
    )


def test_a_missing_rate_names_the_currency_and_the_days(refusal, world):
    world.spend(DAY, "101", "50.00").rate(date(2026, 11, 5), "EUR", "1.1")
    for day in (3, 4, 5, 6, 7, 8):
        world.sale(f"S{day}", datetime(2026, 11, day, 9), "80.00", currency="EUR")
    data = world.write(settings='reporting_currency = "USD"\n')
    assert refusal("ads", "--data", data, "--as-of", AS_OF) == (
        2,
        f"{data}: no rate to USD for EUR on 2026-11-03, 2026-11-04, 2026-11-06 and 2 more days."
        " Import them: `ctm import rates FILE` with the columns day, currency, rate; max_rate_age_days in ctm.toml"
        " lets the last known rate stand for some days.",
    )


def test_each_currency_without_a_rate_is_named_with_its_own_days(refusal, world):
    world.spend(DAY, "101", "50.00").sale("S1", datetime(2026, 11, 3, 9), "80.00", currency="EUR")
    data = world.sale("S2", datetime(2026, 11, 4, 9), "80.00", currency="GBP").write(
        settings='reporting_currency = "USD"\n'
    )
    _, sentence = refusal("ads", "--data", data, "--as-of", AS_OF)
    assert "no rate to USD for EUR on 2026-11-03; GBP on 2026-11-04." in sentence


def test_a_manifest_that_cannot_be_understood_is_named(refusal, shop):
    manifest = shop / "events" / "manifest.json"
    for content in ("", "[]", '{"version": 1}', '{"settled": 1, "live": [1]}'):
        manifest.write_text(content)
        code, sentence = refusal("ads", "--data", shop)
        assert code == 1
        assert sentence.startswith(f"{manifest}: not a manifest that this version understands (")
        assert sentence.endswith(" Start the receiver once: it restores the manifest.")


def test_an_unknown_setting_gets_a_suggestion(refusal, shop):
    (shop / "ctm.toml").write_text("windo_days = 3\n")
    assert refusal("ads", "--data", shop) == (
        2,
        f"{shop}/ctm.toml: 'windo_days' is not a setting. Did you mean 'window_days'?",
    )


def test_a_setting_of_the_wrong_type_is_named(refusal, shop, monkeypatch):
    monkeypatch.setenv("CTM_WINDOW_DAYS", "a week")
    assert refusal("ads", "--data", shop) == (2, "window_days: 'a week' is not a whole number.")


@pytest.mark.parametrize("kept_bytes", [0, 300])
@pytest.mark.parametrize("kind", ["imports/spend", "events/recent/g=000001"])
def test_a_file_that_was_cut_off_is_named(refusal, shop, kind, kept_bytes):
    (file,) = (path for path in (shop / kind).glob("*.parquet") if "schema" not in path.name)
    file.write_bytes(file.read_bytes()[:kept_bytes])
    code, sentence = refusal("ads", "--data", shop, "--as-of", AS_OF)
    assert code == 1
    assert str(file) in sentence
    assert len(sentence.splitlines()) == 1
