"""A bar on the terminal for what takes long; nothing at all where nobody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SHOWN_STEPS = 1000


@contextmanager
def followed(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Draw how far each step of a work has come.

    Parameters
    ----------
    title : str, what is being worked on

    Yields
    ------
    callable
        Takes the step's name, what is done, and of how much.
    """
    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, no_color=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title)
        shown = ("", -1)

        def draw(step: str, done: int, total: int) -> None:
            nonlocal shown
            state = (step, done * _SHOWN_STEPS // max(total, 1))
            if state != shown:
                bar.update(task, description=f"{title}: {step}", completed=done, total=total)
                shown = state

        yield draw
