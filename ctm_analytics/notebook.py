"""The workbench in a notebook: `%%sql` over the models, and filter values by Tab."""

import html
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ctm_analytics.calls import choices
from ctm_analytics.errors import CtmError, InvalidArgument
from ctm_analytics.results import Result
from ctm_analytics.session import NAMED
from ctm_analytics.settings import did_you_mean
from ctm_analytics.workbench import Workbench, open_workbench

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

# IPython annotates too little of its shell for a strict check.
Shell = Any

_NAME = re.compile(r"\s*([^\W\d]\w*)\s*<<")
# A value is looked for where SQL reads one: not in a quoted text or name, nor in a comment.
_VALUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\{\{(.*?)\}\}", re.DOTALL)
# The call and the keyword that are being typed: `workbench.ads(since=day, platform="what`.
_TYPED = re.compile(r"(\w+)\.(\w+)\((?:[^()]|\([^()]*\))*?\b(\w+)\s*=\s*[\"']([^\"'\n]*)$")


class SqlMagic:
    """`%%sql`, asked of the workbench that was opened last."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.workbench: Workbench | None = None

    def ask(self, line: str, cell: str = "") -> pd.DataFrame | None:
        """Ask the models in SQL.

        ``%%sql`` shows the rows as a DataFrame, ``%%sql name <<`` keeps them under a name. ``{{value}}`` is the value
        of any Python expression, bound as a parameter and never pasted into the statement: write it without quotes.

        Examples
        --------
        .. code-block:: sql

            %%sql late <<
            select * from conversations where platform = {{platform}} and first_response_seconds > {{limit}}
        """
        if self.workbench is None:
            raise InvalidArgument(
                '%%sql: no workbench is open yet. Write workbench = ctm.open("data") first.'
            )
        statement = f"{line}\n{cell}".strip()
        name = _NAME.match(statement)
        query, values = self._bound(statement[name.end() :] if name else statement)
        rows = self.workbench.sql(query.strip(), parameters=values).df
        if name is None:
            return rows
        self._shell.push({name[1]: rows})
        return None

    def _bound(self, statement: str) -> tuple[str, dict[str, Any]]:
        """Put a parameter in the place of each value."""
        values: dict[str, Any] = {}
        names: dict[str, str] = {}

        def bound(match: re.Match[str]) -> str:
            expression = match[1]
            if expression is None:
                if match[0].startswith("'") and "{{" in match[0]:
                    raise InvalidArgument(
                        f"%%sql: write {match[0].strip(chr(39))} without quotes: it is a value."
                    )
                return match[0]
            expression = expression.strip()
            if expression not in names:
                names[expression] = expression if expression.isidentifier() else f"value_{len(names) + 1}"
                values[names[expression]] = self._value(expression)
            return f"${names[expression]}"

        return _VALUE.sub(bound, statement), values

    def _value(self, expression: str) -> Any:
        try:
            value = self._shell.ev(expression)
        except NameError:
            hint = did_you_mean(expression, set(self._shell.user_ns))
            raise InvalidArgument(f"%%sql: there is no variable {expression!r}.{hint}") from None
        except Exception as error:  # whatever a user's own expression raises
            raise InvalidArgument(f"%%sql: {{{{{expression}}}}}: {type(error).__name__}: {error}") from None
        # NumPy's numbers, and whole columns, as Python's own.
        return value.tolist() if hasattr(value, "tolist") else value


def load_ipython_extension(shell: Shell) -> None:
    """Give a notebook `%%sql` and the values of filters by Tab: ``%load_ext ctm_analytics``."""
    from IPython.core.completer import SimpleCompletion, completion_matcher

    @completion_matcher(api_version=2)  # type: ignore[untyped-decorator]  # IPython's own
    def filter_values(context: "CompletionContext") -> "SimpleMatcherResult":
        lines = context.full_text.split("\n")[: context.cursor_line]
        begun, values = _offered("\n".join([*lines, context.text_until_cursor]), shell.user_ns)
        completions = [SimpleCompletion(value, type="value") for value in values]
        return {"completions": completions, "matched_fragment": begun, "suppress": bool(values)}

    if _magic_of(shell) is None:
        shell.register_magic_function(SqlMagic(shell).ask, "line_cell", "sql")
        shell.Completer.custom_matchers.append(filter_values)


def explore(question: Callable[..., Result], **words: Any) -> Any:
    """Ask a question again with every choice of its words: lists to choose from, the answer below.

    Parameters
    ----------
    question : a method of an open workbench
    **words : the words to begin with, or to keep: dates and everything else that has no list of values

    Returns
    -------
    ipywidgets.VBox; it needs a running kernel, so show the answer itself too where others are to read it

    Examples
    --------
    >>> explore(workbench.ads, since="2026-11-09", until="2026-11-15")  # doctest: +SKIP
    """
    import ipywidgets

    workbench: Workbench = question.__self__  # type: ignore[attr-defined]  # a bound method
    lists = {
        word: ipywidgets.Dropdown(
            options=[
                *([("(all)", None)] if parameter.default is None else []),
                *_values(workbench, question, word),
            ],
            value=words.get(word, parameter.default),
            description=word,
        )
        for word, parameter in signature(question).parameters.items()
        if _values(workbench, question, word)
    }
    # No Output widget: whoever runs a notebook without a browser may wait for one forever.
    shown = ipywidgets.HTML()

    def ask(_: Any = None) -> None:
        chosen = {word: choice.value for word, choice in lists.items()}
        try:
            shown.value = question(**words | chosen)._repr_html_()
        except CtmError as error:
            shown.value = html.escape(str(error))

    for choice in lists.values():
        choice.observe(ask, names="value")
    ask()
    choices = ipywidgets.HBox(list(lists.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
    return ipywidgets.VBox([choices, shown])


def _values(workbench: Workbench, question: Callable[..., Any], word: str) -> list[str]:
    return workbench.names(word) if word in NAMED else choices(question, word)


def _magic_of(shell: Shell) -> SqlMagic | None:
    magic = getattr(shell.find_cell_magic("sql"), "__self__", None)
    return magic if isinstance(magic, SqlMagic) else None


def _offered(before: str, variables: dict[str, Any]) -> tuple[str, list[str]]:
    """Find the values that go on as what is typed of a filter's value does, and what is typed of it."""
    typed = _TYPED.search(before)
    workbench = variables.get(typed[1]) if typed else None
    if typed is None or not isinstance(workbench, Workbench):
        return "", []
    _, method, word, begun = typed.groups()
    values = _values(workbench, getattr(workbench, method, str), word)
    return begun, [value for value in values if value.casefold().startswith(begun.casefold())]


def open_in_notebook(
    data: str | Path | None = None,
    *,
    as_of: datetime | str | None = None,
    engine: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Workbench:
    """Open a data folder: ``ctm.open("data")``.

    In a notebook, `%%sql` then asks the workbench that was opened last, unless another extension has that name, and Tab
    completes the values of filters.

    Parameters
    ----------
    data : path of the data folder; by default ``CTM_DATA``, else ``data`` where it holds anything, else the
        invented sample data, marked as such
    as_of : aware datetime or ISO text, the instant the answers are for; by default now
    engine : ``duckdb``, in this process, or ``sc://HOST:PORT`` of a Spark Connect server; by default the setting
    environ : mapping of str to str; by default the process's environment

    Raises
    ------
    InvalidArgument
        If the folder does not exist, or a setting breaks its rule.
    EngineFailed
        If no server answers there.
    NoData
        If the folder holds neither an event nor an import.

    Examples
    --------
    >>> workbench = open_in_notebook("data/sample")  # doctest: +SKIP
    """
    workbench = open_workbench(data, as_of=as_of, engine=engine, environ=environ)
    running = sys.modules.get("IPython")
    shell = running.get_ipython() if running else None
    if shell is not None:
        if shell.find_cell_magic("sql") is None:
            load_ipython_extension(shell)
        if magic := _magic_of(shell):
            magic.workbench = workbench
    return workbench
