"""The rules of the house that no linter knows: packaging, documentation, and what may be committed."""

import re
import subprocess
import tomllib
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

import pytest
import yaml
from generated_pages import commands_table, glossary_table
from packaging.requirements import Requirement

from ctm_analytics.answers.tables import glossary
from ctm_analytics.models import all_models
from ctm_analytics.settings import Settings
from receiver.settings import ReceiverSettings

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
BASE = PROJECT["dependencies"]
ALL = [*BASE, *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
LOCKS = {
    "requirements.lock": ALL,
    "requirements-receiver.lock": BASE,
    "requirements-docs.lock": PYPROJECT["dependency-groups"]["docs"],
    "requirements-faults.lock": ["atheris>=3"],  # apart: it has wheels for few versions of Python
    "requirements-cluster.lock": ["pysail>=0.7.2"],  # servers are apart from their clients
    "requirements-spark.lock": ["pyspark>=4.3,<5"],
}

WRITE_ANEW = "write it anew: python tests/generated_pages.py"

# conda-forge's name, where it is another.
CONDA_NAMES = {"duckdb": "python-duckdb"}


def _requirements(lines):
    parsed = [Requirement(line) for line in lines]
    return {requirement.name.lower(): str(requirement.specifier) for requirement in parsed}


def _committed():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_environment_yml_names_what_pyproject_names():
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert pip["pip"][-1] == "-e .", "the project itself comes last"
    pyproject = {CONDA_NAMES.get(name, name): rule for name, rule in _requirements(ALL).items()}
    pyproject["python"] = PROJECT["requires-python"]
    assert (
        _requirements([name for name in conda if name != "pip"]) | _requirements(pip["pip"][:-1]) == pyproject
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_no_address(lock):
    text = (ROOT / lock).read_text()
    assert re.findall(r"://|index-url|extra-index|find-links|trusted-host", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_has_its_hash(lock):
    entry = re.compile(r"[\w.-]+==[\w.]+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    entries = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    assert [line for line in entries if not entry.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked_at_a_version_that_fits(lock):
    entries = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE)
    locked = {}
    for name, version in entries:
        locked.setdefault(name.lower(), set()).add(version)
    for requirement in map(Requirement, LOCKS[lock]):
        versions = locked.get(requirement.name.lower(), set())
        assert any(requirement.specifier.contains(version) for version in versions), requirement


def test_the_receiver_is_locked_without_the_analysis():
    entries = re.findall(
        r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements-receiver.lock").read_text(), re.MULTILINE
    )
    assert set(entries).isdisjoint({"duckdb", "pandas", "numpy", "plotly", "typer", "jupyterlab"})


def test_every_file_that_the_packages_read_is_shipped_with_them():
    shipped = {
        path
        for package, patterns in PYPROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package).glob(pattern)
    }
    packages = ("receiver", "ctm_analytics")
    read = {
        path for path in _committed() if path.relative_to(ROOT).parts[0] in packages and path.suffix != ".py"
    }
    assert read - shipped == set()


@pytest.mark.parametrize("model", all_models().values(), ids=lambda model: model.name)
def test_the_first_line_of_a_model_says_what_one_row_is(model):
    assert re.match(r"-- One row( per |: )", model.sql.splitlines()[0])


@pytest.fixture
def columns(world):
    """Every column that a question or `ctm sql` can show."""
    world.event("anna", datetime(2026, 11, 2, 8), ad_id="101").echo("anna", datetime(2026, 11, 2, 9))
    world.event("anna", datetime(2026, 11, 2, 10))
    world.spend(date(2026, 11, 2), "102", "50.00").spend(date(2026, 11, 3), "103", "50.00")
    workbench = world.spend(date(2026, 11, 2), "101", "50.00").open(
        settings='[business_hours]\nmonday = "09:00-18:00"'
    )
    tables = workbench.tables()
    answers = [
        tables,
        *(workbench.ads(by=by) for by in ("ad", "platform", "day", "week")),
        *(workbench.latency(by=by) for by in ("ad", "weekday_hour", "business_time")),
        *(
            workbench.response_curve(),
            workbench.conversations(),
            workbench.inbox(),
            workbench.attribution(),
            workbench.cohorts(),
            workbench.badge(),
            workbench.latency(turns="next"),
            workbench.outlook(),
            workbench.compare("101", "102"),
            workbench.speed(),
            workbench.latency(business_hours=True),
            workbench.latency(turns="all", business_hours=True),
            workbench.reconciliation(),
            workbench.funnel(),
            workbench.quality(),
        ),
    ]
    listed = {row["column"] for row in tables.table.to_pylist() if row["column"]}
    listed |= set(workbench.ads(by="day").figure_table.columns)
    return listed | {name for answer in answers for name in answer.table.column_names}


def test_every_column_has_a_meaning_and_the_glossary_no_other_word(columns):
    assert columns - set(glossary()) == set()
    assert set(glossary()) - columns == set()


def test_the_glossary_of_the_docs_is_that_of_the_program():
    assert (ROOT / "docs" / "glossary.md").read_text().endswith(f"\n\n{glossary_table()}"), WRITE_ANEW


def test_the_commands_of_the_docs_are_those_of_the_program():
    assert (ROOT / "docs" / "commands.md").read_text().endswith(f"\n\n{commands_table()}"), WRITE_ANEW


def test_the_glossary_is_in_alphabetical_order():
    assert list(glossary()) == sorted(glossary())


def test_every_setting_stands_in_the_operations_manual():
    manual = (ROOT / "docs" / "operations.md").read_text()
    secrets = {"app_secrets", "instagram_app_secrets", "verify_token"}
    keys = {setting.name for kind in (Settings, ReceiverSettings) for setting in fields(kind)} - secrets
    assert [key for key in sorted(keys) if f"`{key}`" not in manual] == []
    for variable in ("CTM_APP_SECRET", "CTM_INSTAGRAM_APP_SECRET", "CTM_VERIFY_TOKEN", "CTM_DATA"):
        assert variable in manual


def test_the_defaults_in_the_operations_manual_are_those_of_the_program():
    manual = (ROOT / "docs" / "operations.md").read_text()
    numbers = {
        setting.name: setting.default
        for kind in (Settings, ReceiverSettings)
        for setting in fields(kind)
        if isinstance(setting.default, int | float) and not isinstance(setting.default, bool)
    }
    assert len(numbers) >= 5
    for name, default in numbers.items():
        assert f"| `{name}` | {default} |" in manual


def test_nothing_committed_names_a_folder_of_somebodys_machine():
    places = re.compile(
        r"(?<![\w.:/])/(?:" + "|".join(("work", "root", "home", "Users", "tmp")) + r")/[\w.]+"
    )
    found = []
    for path in _committed():
        if path.suffix not in {".parquet", ".png", ".gz", ".lock"}:
            text = path.read_bytes().decode("utf-8", "replace")
            found += [f"{path.relative_to(ROOT)}: {place}" for place in places.findall(text)]
    assert found == []


def test_a_path_in_the_readme_exists():
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", (ROOT / "README.md").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []  # the docs' own: mkdocs --strict


def test_the_sample_is_small():
    sample = [path for path in _committed() if path.is_relative_to(ROOT / "data" / "sample")]
    assert 0 < sum(path.stat().st_size for path in sample) <= 500_000
