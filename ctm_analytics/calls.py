"""What a question may be called with: its keywords, checked before it is asked and listed for completion."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_type_hints

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.questions import FilterWords
from ctm_analytics.settings import did_you_mean

# Any text is taken and checked when asked; the words are here so that editors and notebooks can offer them.
Model = (
    Literal["last_touch", "first_touch", "linear", "position_based", "time_decay", "markov", "shapley"] | str
)
Basis = Literal["cohort", "calendar"] | str
Responder = Literal["any", "human"] | str
Turns = Literal["first", "next", "all"] | str
Preset = Literal["sales", "messaging", "delivery", "all"] | str
Group = Literal["ad", "adset", "campaign", "platform", "day", "week", "total"] | str
Candidate = Literal["ad", "adset", "campaign"] | str
Reconciled = Literal["ad", "campaign", "day", "ad_day", "total"] | str
Judged = Literal["check", "match", "ad", "total"] | str
AnswerGroup = Group | Literal["hour", "weekday", "weekday_hour", "business_time", "responder"]

P = ParamSpec("P")
R = TypeVar("R")


def in_words(method: Callable[P, R]) -> Callable[P, R]:
    """Refuse a keyword that a method does not take, with a suggestion, and show all of them in its signature."""
    signature = _spelt_out(inspect.signature(method))
    words = [name for name in signature.parameters if name != "self"]

    @wraps(method)
    def asked(*arguments: P.args, **keywords: P.kwargs) -> R:
        for word in keywords:
            if word not in words:
                raise InvalidArgument(
                    f"{method.__name__}: there is no {word!r}.{did_you_mean(word, words)}"
                    f" It takes {', '.join(words)}."
                )
        return method(*arguments, **keywords)

    asked.__signature__ = signature  # type: ignore[attr-defined]  # what inspect reads
    return asked


def choices(method: Callable[..., Any], word: str) -> list[str]:
    """List the values that a keyword may have, where they are known beforehand.

    Examples
    --------
    >>> from ctm_analytics import Workbench
    >>> choices(Workbench.ads, "platform")
    ['messenger', 'instagram', 'whatsapp']
    """
    parameter = inspect.signature(method).parameters.get(word)
    return [] if parameter is None else _literals(parameter.annotation)


def _spelt_out(signature: inspect.Signature) -> inspect.Signature:
    """Name the filters one by one instead of as ``**filters``."""
    parameters = list(signature.parameters.values())
    if parameters[-1].kind is inspect.Parameter.VAR_KEYWORD:
        parameters[-1:] = [
            inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for word, kind in get_type_hints(FilterWords).items()
        ]
    return signature.replace(parameters=parameters)


def _literals(annotation: Any) -> list[str]:
    if not (parts := get_args(annotation)):
        return []
    return [text for part in parts for text in ([part] if isinstance(part, str) else _literals(part))]
