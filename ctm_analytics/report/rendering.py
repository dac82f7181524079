"""The report's page from its template: style, script, charts and plotly.js in one file."""

import shlex
from importlib import metadata, resources
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ctm_analytics.charts.theme import CONFIG
from ctm_analytics.columns import NOT_CREDITED
from ctm_analytics.formats import period
from ctm_analytics.report.ads_table import LEVELS
from ctm_analytics.report.plotly_bundle import plotly_bundle, policy_hash
from ctm_analytics.report.section import script_json
from ctm_analytics.report.source import moment

if TYPE_CHECKING:
    from ctm_analytics.report.page import Report

VERSIONS = ("ctm-analytics", "plotly", "duckdb", "pandas")
_PARTS = resources.files("ctm_analytics.report")


def rendered(report: "Report") -> str:
    """Write a report as HTML; the same content gives the same bytes."""
    script = _part("page.js")
    bundle = plotly_bundle()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["quote"] = shlex.quote
    return environment.from_string(_part("page.html")).render(
        report=report,
        style=Markup(_part("page.css")),
        script=Markup(script),
        plotly=bundle.packed,
        policy=Markup(f"{policy_hash(script.encode())} {bundle.policy_hash}"),
        config=script_json(CONFIG),
        compared_with=period(*report.previous),
        not_credited=NOT_CREDITED,
        places=LEVELS,
        days=(report.until - report.since).days + 1,
        as_of=moment(report.workbench.as_of, report.workbench) if report.workbench else "",
        versions=[f"{name} {metadata.version(name)}" for name in VERSIONS],
    )


def _part(name: str) -> str:
    return _PARTS.joinpath(name).read_text(encoding="utf-8")
