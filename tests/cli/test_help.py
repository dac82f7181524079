"""Every command says what it does, with an example that could be typed."""

import shlex

import pytest
import typer.main

from ctm_analytics.cli.main import app


def _commands(group, path=("ctm",)):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


ROOT = typer.main.get_command(app)
COMMANDS = [pytest.param(path, command, id=" ".join(path[1:])) for path, command in _commands(ROOT)]
every_command = pytest.mark.parametrize(("path", "command"), COMMANDS)


@every_command
def test_every_command_has_help_with_an_example(ctm, monkeypatch, path, command):
    monkeypatch.setenv("COLUMNS", "300")
    shown = ctm(*path[1:], "--help")
    assert shown.exit_code == 0
    assert command.help.splitlines()[0] in shown.text
    assert command.epilog.startswith("Example: ")
    assert command.epilog in " ".join(shown.text.split())


@every_command
def test_every_example_is_a_command_line_that_the_program_understands(path, command):
    words = shlex.split(command.epilog.removeprefix("Example: ").partition(" | ")[0])
    arguments = words[words.index("ctm") :]
    assert tuple(arguments[: len(path)]) == path
    command.make_context(" ".join(path), arguments[len(path) :])  # parses, runs nothing


@every_command
def test_every_option_says_what_it_is_for(path, command):
    assert [option.name for option in command.params if not getattr(option, "help", None)] == []


@every_command
def test_rows_come_in_four_formats_and_into_a_file(path, command):
    options = {name for option in command.params for name in option.opts}
    makes_files = path[-1] == "report"  # its --format chooses among them
    assert (("--format" in options) and not makes_files) == ("--output" in options)


def test_the_data_folder_can_stand_in_the_environment():
    elsewhere = {"demo", "lab"}  # the demo makes its own folder, JupyterLab asks in the notebook
    for path, command in _commands(ROOT):
        if path[-1] not in elsewhere:
            assert [option.envvar for option in command.params if option.name == "data"] == ["CTM_DATA"], path


def test_without_a_command_the_program_lists_its_commands(ctm):
    shown = ctm()
    words = (shown.text + shown.stderr).split()
    assert [name for name in ROOT.commands if name not in words] == []


def test_a_command_that_does_not_exist_is_wrong_usage_and_gets_a_suggestion(ctm):
    run = ctm("adds")
    assert run.exit_code == 2
    assert "'ads'" in run.stderr
