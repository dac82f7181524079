"""How cohorts ripen: the share that has bought by each age, as far as everybody in the cohort is that old."""

from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import DASHES, GREY, ORDER, describe, new_figure, say_nothing_to_draw
from ctm_analytics.formats import MONTHS, count, floats, label, percent, percent_ticks, shorten

NOTHING = "No cohort is a day old yet."
# The last cohorts stand out; the others are the grey ground that they are compared with.
HIGHLIGHTED = 3
MOST_DRAWN = 30
NAME_WIDTH = 30
OTHERS = "Earlier"
MARKERS = ("circle", "square", "diamond")


class Cohort(NamedTuple):
    """One cohort's mature days."""

    name: str
    conversations: int
    days: pd.DataFrame


def cohort_curves(ripened: pd.DataFrame) -> go.Figure:
    """Draw each cohort's share of buyers by age; days for which somebody in it is still too young are left out.

    Parameters
    ----------
    ripened : frame of ``workbench.cohorts()``: ``cohort, age_days, conversations, bought_share`` with its interval,
        ``too_young``. Cohorts of days and weeks stand in their order, and the last three are highlighted; of ads,
        campaigns and platforms, which always have young conversations, a day is drawn as long as half are that old,
        and the three with most conversations are highlighted.
    """
    figure = new_figure(cohort_finding(ripened), height=420)
    cohorts = _cohorts(ripened)
    if not cohorts:
        return say_nothing_to_draw(figure, NOTHING)
    highlighted = _highlighted(cohorts, _is_dated(ripened))
    names = [cohort.name for cohort in highlighted]
    others = [cohort for cohort in cohorts if cohort.name not in names]
    for place, cohort in enumerate(others):
        _draw_quietly(
            figure, cohort, f"{OTHERS if _is_dated(ripened) else 'Others'} ({len(others)})", place == 0
        )
    foremost = highlighted[-1] if _is_dated(ripened) else highlighted[0]
    for place, cohort in enumerate(highlighted):
        _draw(figure, cohort, place, has_band=cohort is foremost)
    highest = max(float(floats(cohort.days["bought_share"]).max()) for cohort in cohorts)
    ends = floats(foremost.days["bought_share_high"])
    highest = max(highest, *(end for end in ends[-1:] if end == end), 0.01) * 1.1
    shares = percent_ticks(highest)
    oldest = max(int(cohort.days["age_days"].max()) for cohort in cohorts)
    figure.update_yaxes(
        range=[-0.01 * highest, highest],
        tickvals=shares,
        ticktext=[percent(share) for share in shares],
        title_text="Share of engaged conversations that has bought",
    )
    figure.update_xaxes(
        range=[-0.1, max(oldest, 1) * 1.02],
        tickvals=_age_ticks(oldest),
        title_text="Days since the touch",
    )
    return describe(
        figure, narrow={"yaxis.title.text": "Share that has bought", "xaxis.tickvals": _age_ticks(oldest, 5)}
    )


def cohort_finding(ripened: pd.DataFrame) -> str:
    """Compare the newest cohort with those before it, at the last age that it has fully reached.

    Returns
    -------
    str
        "No clear difference" where the earlier cohorts' share lies within the newest one's 95 % interval.
    """
    cohorts = _cohorts(ripened)
    if not cohorts:
        return NOTHING
    if not _is_dated(ripened):
        return _finding_of_groups(cohorts)
    newest = cohorts[-1]
    last = newest.days.iloc[-1]
    age = int(last["age_days"])
    people = (
        f"{count(newest.conversations)} people of {'the ' if 'week' in ripened.columns else ''}{newest.name}"
    )
    found = f"{percent(last['bought_share'], 1)} of the {people} have bought within {_days(age)}"
    before = [at for cohort in cohorts[:-1] if (at := _share_at(cohort, age)) is not None]
    if not before:
        return f"{found}; no earlier cohort to compare with."
    share = sum(cohort.conversations * of for cohort, of in before) / sum(
        cohort.conversations for cohort, _ in before
    )
    low, high = floats([last["bought_share_low"], last["bought_share_high"]])
    if not (low == low and high == high):
        judged = "too few to compare"
    elif low <= share <= high:
        judged = "no clear difference"
    else:
        judged = "clearly more now" if share < low else "clearly less now"
    return f"{found}; of earlier ones {percent(share, 1)} at that age: {judged}."


def cohort_table(ripened: pd.DataFrame) -> pd.DataFrame:
    """Keep the days that are drawn, with what they rest on."""
    columns = ["cohort", "conversations", "age_days", "bought_share", "bought_share_low", "bought_share_high"]
    days = [cohort.days[columns] for cohort in _cohorts(ripened)]
    return pd.concat(days, ignore_index=True) if days else ripened[columns].iloc[:0]


def _is_dated(ripened: pd.DataFrame) -> bool:
    return "day" in ripened.columns or "week" in ripened.columns


def _cohorts(ripened: pd.DataFrame) -> list[Cohort]:
    """Keep each cohort's mature days; dated cohorts in their order, others by their size."""
    keys = list(ripened.columns)[: list(ripened.columns).index("cohort") + 1]
    known = ripened[ripened["cohort"].notna()]
    allowed = 0.0 if _is_dated(ripened) else 0.5
    is_mature = floats(known["too_young"]) <= allowed * floats(known["conversations"])
    known = known[is_mature & known["bought_share"].notna().to_numpy()]
    cohorts = []
    for _, days in known.groupby(keys, sort=False, dropna=False):
        if len(days) < 2:
            continue  # an age of 0 alone is no curve
        days = days.sort_values("age_days")
        first = days.iloc[0]
        cohorts.append(Cohort(_name(first), int(first["conversations"]), days))
    if _is_dated(ripened):
        return sorted(cohorts, key=lambda cohort: str(cohort.days.iloc[0]["cohort"]))[-MOST_DRAWN:]
    return sorted(cohorts, key=lambda cohort: -cohort.conversations)[:MOST_DRAWN]


def _highlighted(cohorts: list[Cohort], is_dated: bool) -> list[Cohort]:
    return cohorts[-HIGHLIGHTED:] if is_dated else cohorts[:HIGHLIGHTED]


def _name(row: "pd.Series[Any]") -> str:
    for column, words in (("week", "week from "), ("day", "")):
        if column in row.index:
            day = pd.Timestamp(row[column])
            return f"{words}{day.day} {MONTHS[day.month - 1]}"
    return shorten(row["cohort"], NAME_WIDTH)


def _finding_of_groups(cohorts: list[Cohort]) -> str:
    largest = cohorts[0]
    last = largest.days.iloc[-1]
    age = _days(int(last["age_days"]))
    reached = f"{percent(last['bought_share'], 1)} have bought within {age}"
    if len(cohorts) == 1:
        return f"{reached} of the touch."
    return f"Of “{largest.name}”, with most conversations, {reached} of the touch."


def _days(age: int) -> str:
    return "1 day" if age == 1 else f"{age} days"


def _share_at(cohort: Cohort, age: int) -> tuple[Cohort, float] | None:
    at = cohort.days[floats(cohort.days["age_days"]) == age]
    return None if at.empty else (cohort, float(at.iloc[0]["bought_share"]))


def _draw_quietly(figure: go.Figure, cohort: Cohort, words: str, is_first: bool) -> None:
    figure.add_trace(
        go.Scatter(
            x=list(cohort.days["age_days"]),
            y=floats(cohort.days["bought_share"]),
            mode="lines",
            name=words,
            legendgroup=OTHERS,
            showlegend=is_first,
            line={"color": GREY, "width": 1, "shape": "hv"},
            opacity=0.6,
            customdata=_hover(cohort),
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _draw(figure: go.Figure, cohort: Cohort, place: int, *, has_band: bool) -> None:
    colour, ages = ORDER[place], list(cohort.days["age_days"])
    if has_band:
        rgb = ",".join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
        quiet = {
            "mode": "lines",
            "line": {"width": 0, "shape": "hv"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        figure.add_trace(go.Scatter(x=ages, y=_known(cohort, "bought_share_low"), **quiet))
        figure.add_trace(
            go.Scatter(
                x=ages,
                y=_known(cohort, "bought_share_high"),
                fill="tonexty",
                fillcolor=f"rgba({rgb},0.14)",
                **quiet,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=ages,
            y=floats(cohort.days["bought_share"]),
            mode="lines+markers",
            name=label(f"{cohort.name[:1].upper()}{cohort.name[1:]} ({count(cohort.conversations)})"),
            line={"color": colour, "width": 2.5, "dash": DASHES[place], "shape": "hv"},
            marker={"symbol": MARKERS[place], "size": 7},
            customdata=_hover(cohort),
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _known(cohort: Cohort, column: str) -> list[float]:
    """Read a band's edge; where it is not defined (nobody or everybody has bought) it is the share itself."""
    edges, shares = floats(cohort.days[column]), floats(cohort.days["bought_share"])
    return [float(share if edge != edge else edge) for edge, share in zip(edges, shares, strict=True)]


def _hover(cohort: Cohort) -> list[str]:
    return [
        f"<b>{label(cohort.name)}</b><br>{percent(day['bought_share'], 1)} within {_days(int(day['age_days']))}"
        f"<br>95 % between {percent(day['bought_share_low'], 1)} and {percent(day['bought_share_high'], 1)}"
        f"<br>{count(cohort.conversations)} engaged conversations"
        for _, day in cohort.days.iterrows()
    ]


def _age_ticks(oldest: int, most: int = 10) -> list[int]:
    step = next(step for step in (1, 2, 7, 14, 28, 56, 112) if oldest / step <= most or step == 112)
    return list(range(0, oldest + 1, step))
