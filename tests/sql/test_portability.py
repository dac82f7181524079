"""The models stay in the subset of SQL that DuckDB 2, Spark 4 and Sail read alike.

Each rule names what one of them refuses, or reads with another meaning; house.md and engines.md tell how that was seen.
"""

from collections import defaultdict

import pytest
import sqlglot
from sqlglot import exp

from ctm_analytics.models import all_models, bind

# Known to all three, with one meaning; convert_timezone, get_json_object and unix_micros are macros in DuckDB.
FUNCTIONS = {
    *("abs", "cast", "coalesce", "convert_timezone", "count", "count_if", "date_trunc", "extract", "floor"),
    *("get_json_object", "split_part"),
    *("greatest", "lag", "lead", "least", "length", "max", "max_by", "md5", "min", "min_by", "nullif"),
    *("power", "round", "row_number", "sign", "substr", "sum", "unix_micros"),
}
# Words that a parenthesis may follow without being called.
SYNTAX = {
    *("and", "as", "by", "decimal", "else", "from", "having", "in", "join", "not", "on", "or", "over"),
    *("select", "then", "when", "where"),
}
TYPES = {"BIGINT", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "TEXT", "TIMESTAMP"}
EXTRACTED = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE"}  # `dow` starts at 0 here and at 1 there
WORDS = {
    "varchar": "Spark wants a length: string",
    "hugeint": "only DuckDB has it: bigint",
    "qualify": "Sail has none: a subquery",
    "asof": "only DuckDB has it: a range join and max_by",
}
NODES = {
    exp.IntDiv: "`//` is DuckDB's: cast((a - a % b) / b as bigint)",
    exp.IgnoreNulls: "ignore nulls stands elsewhere in each: max over a RANGE frame",
    exp.AtTimeZone: "only DuckDB has it: convert_timezone",
    exp.Lateral: "Sail has none",
    exp.TableSample: "a sample is another one each time",
    exp.RegexpLike: "`~` is DuckDB's",
    exp.Bracket: "indices start at 1 here and at 0 there",
    exp.Array: "Spark writes array(…)",
    exp.JSONExtract: "only DuckDB has ->",
}


def refusals(sql):
    """Say what in a statement is not portable."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return [*_words(sql), *_nodes(tree), *_numbers(tree)]


def _words(sql):
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        word = token.text.lower()
        if token.token_type in (sqlglot.TokenType.STRING, sqlglot.TokenType.IDENTIFIER):
            continue
        if word in WORDS:
            yield f"{word}: {WORDS[word]}"
        if after and after.text == "(" and word.isidentifier() and word not in FUNCTIONS | SYNTAX:
            yield f"{word}(: not known to mean the same in all engines"
        if word == "from" and (before is None or before.text.lower() in ("(", "all")):
            yield "from first: only DuckDB reads it"
        if word.endswith("by") and after and after.text.lower() in ("all", "name"):
            yield f"{word} {after.text}: write the columns out"


def _nodes(tree):
    for node in tree.walk():
        if type(node) in NODES:
            yield f"{node.sql('duckdb')}: {NODES[type(node)]}"
        if isinstance(node, exp.Star) and (node.args.get("except_") or node.args.get("replace")):
            yield f"{node.sql('duckdb')}: written differently in each: name the columns"
        if isinstance(node, exp.Join) and (node.method or node.kind not in ("", "INNER", "CROSS")):
            yield f"{node.method or node.kind} join: not in all engines"
        if isinstance(node, exp.Window) and node.alias and node.args.get("spec"):
            yield "over (w rows …): Spark has none: write the window out"
        if isinstance(node, exp.Extract) and node.name.upper() not in EXTRACTED:
            yield f"extract({node.name}): counted differently in each"
        if isinstance(node, exp.Cast) and node.to.this.name not in TYPES:
            yield f"cast as {node.to.sql()}: not in all engines"


def _numbers(tree):
    for division in tree.find_all(exp.Div):
        if division.expression.find(exp.Column) and not division.expression.find(exp.Nullif):
            yield f"{division.sql('duckdb')}: one engine raises at 0: nullif"
    for cast in tree.find_all(exp.Cast):
        if cast.to.this.name == "BIGINT" and not _is_whole(cast.this):
            yield f"{cast.sql('duckdb')}: rounds here and cuts there: floor or round first"
    for projection in tree.selects:
        for total in projection.find_all(exp.Sum, exp.CountIf):
            if not total.find_ancestor(exp.Cast, exp.Window):
                yield f"{total.sql('duckdb')}: a hugeint here, and a double in Parquet: cast(… as bigint)"


def _is_whole(number):
    """Whether a number has no fraction, as far as its formula tells; a column is taken at its word."""
    match number:
        case exp.Floor() | exp.Ceil():
            return True
        case exp.Round():
            return number.args.get("decimals") is None
        case exp.Literal():
            return number.is_string or number.is_int
        case exp.Div(
            this=exp.Paren(this=exp.Sub(expression=exp.Mod() as rest) as dividend), expression=divisor
        ):
            return dividend.this == rest.this and divisor == rest.expression
        case exp.Div():
            return False
        case exp.Cast():
            return number.to.this.name != "DOUBLE" or _is_whole(number.this)
    return all(_is_whole(part) for part in number.iter_expressions())


# Known and meant: (model, start of the refusal): why it is right.
EXCEPTIONS = {
    (
        "divided_shares",
        "(1000000000 * weight - 1000000000 * weight % weights) / weights",
    ): "a sum of weights above 0",
    ("divided_shares", "(ABS(net_cents) - ABS(net_cents) % weights) / weights"): "a sum of weights above 0",
    ("divided_shares", "(rest - rest % weights) / weights"): "a sum of weights above 0",
    ("divided_shares", "720720 / eligible_touches.touches_of_ad"): "it counts its own row: never 0",
}


VALUES = defaultdict(lambda: "word", decimals=2, minor_units=100)  # what stands in a type must be a number


@pytest.mark.parametrize("model", all_models().values(), ids=lambda model: model.name)
def test_every_model_is_portable(model):
    found = refusals(bind(model.sql, VALUES))
    meant = [start for name, start in EXCEPTIONS if name == model.name]
    assert [words for words in found if not words.startswith(tuple(meant) or "\0")] == []
    assert [start for start in meant if not any(words.startswith(start) for words in found)] == [], (
        "an old exception"
    )


@pytest.mark.parametrize("model", all_models().values(), ids=lambda model: model.name)
def test_every_model_is_read_by_sparks_grammar_too(model):
    sqlglot.parse_one(bind(model.sql, VALUES), dialect="spark")


REFUSED = {
    "qualify": "select a from t qualify row_number() over (order by a) = 1",
    "asof": "select a from t asof join u on t.x >= u.x",
    "`//`": "select 7 // 2 as half from t",
    "by all": "select a, count(*) as rows from t group by all",
    "ignore nulls": "select lag(x ignore nulls) over (order by y) as before from t",
    "only DuckDB has it: convert": "select t at time zone 'UTC' as local from t",
    "Sail has none": "select a from t, lateral (select 1 as b) as l",
    "from first": "from t",
    "from first: ": "select a from (from t) as u",
    "list(": "select list(x) as xs from t",
    "arg_max(": "select arg_max(x, y) as latest from t",
    "epoch_us(": "select epoch_us(t) as micros from t",
    "concat(": "select concat(a, b) as ab from t",
    "weekday(": "select weekday(t) as day from t",
    "SUM(x)": "select sum(x) as total from t",
    "COUNT_IF(x)": "select count_if(x) as total from t",
    "a / b": "select a / b as ratio from t",
    "extract(DOW)": "select extract(dow from t) as day from t",
    "CAST(a / 2 AS BIGINT)": "select cast(a / 2 as bigint) as half from t",
    "CAST(a * 1.5 AS BIGINT)": "select cast(a * 1.5 as bigint) as more from t",
    "CAST(ROUND(a, 1) AS BIGINT)": "select cast(round(a, 1) as bigint) as whole from t",
    "varchar": "select cast(a as varchar) as word from t",
    "cast as INT128": "select cast(a as hugeint) as great from t",
    "SEMI join": "select a from t semi join u on t.a = u.a",
    "positional join": "select a from t positional join u",
    "over (w rows": "select max(x) over (w rows 1 preceding) as latest from t window w as (order by y)",
    "* EXCLUDE (a)": "select * exclude (a) from t",
    "by name": "select a from t union all by name select a from u",
    "`~` is DuckDB's": "select a ~ 'b' as found from t",
    "only DuckDB has ->": "select a -> 'b' as inner_value from t",
    "array(…)": "select [1, 2] as pair from t",
    "indices": "select xs[1] as first from t",
    "a sample": "select a from t using sample 10",
}


@pytest.mark.parametrize(("words", "sql"), REFUSED.items(), ids=REFUSED)
def test_the_lint_refuses(words, sql):
    assert any(words.strip().lower() in refusal.lower() for refusal in refusals(sql)), refusals(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select a / nullif(b, 0) as ratio from t",
        "select a / 1e6 as seconds from t",
        "select cast(sum(x) as bigint) as total from t",
        "select max(x) over (partition by y order by z rows between 1 preceding and current row) as m from t",
        "select cast(floor(a / 2) as bigint) as whole from t",
        "select cast((7 - 7 % 2) / 2 as bigint) as whole from t",
        "select cast(round(amount * 100) as bigint) as cents from t",
        "select 'concat(a) // from t' as words from t",
        "select extract(hour from moment) as hour from t",
    ],
)
def test_the_lint_lets_pass_what_all_engines_read(sql):
    assert refusals(sql) == []
