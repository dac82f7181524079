"""Delivers a report, or the news that there is none: by mail, to a Slack channel, or through a program."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.message import Message
from ctm_analytics.report.sending import DeliveryFailed
from ctm_analytics.settings import did_you_mean

KINDS = ("mail", "slack", "cmd")


@dataclass(frozen=True)
class Target:
    """Somewhere to deliver to: as it was named on the command line, and what sends a message there."""

    name: str
    send: Callable[[Message], None]


def read_target(text: str, environ: Mapping[str, str]) -> Target:
    """Read ``mail:ADDRESS,…``, ``slack:`` or ``slack:NAME``, or ``cmd:PROGRAM``; nothing is sent yet.

    Parameters
    ----------
    text : str
    environ : mapping of str to str, which holds the settings and secrets of mail and Slack

    Raises
    ------
    InvalidArgument
        If it is none of these, or a setting that it needs is missing or wrong.
    """
    kind, colon, rest = text.partition(":")
    if kind not in KINDS or not colon:
        hint = did_you_mean(kind, KINDS)
        raise InvalidArgument(
            f"--deliver: {kind!r} is no way to deliver.{hint} Use mail:ADDRESS, slack: or cmd:PROGRAM."
        )
    if kind == "mail":
        from ctm_analytics.report.mail import mail_sender

        return Target(text, mail_sender(rest, environ))
    if kind == "slack":
        from ctm_analytics.report.slack import slack_sender

        return Target(text, slack_sender(rest, environ))
    from ctm_analytics.report.command import command_sender

    return Target(text, command_sender(rest))


def deliver(message: Message, targets: list[Target]) -> None:
    """Send a message to every target; one that fails keeps the others from nothing.

    Raises
    ------
    DeliveryFailed
        Naming each target that did not take it.
    """
    failed = []
    for target in targets:
        try:
            target.send(message)
        except DeliveryFailed as error:
            failed.append(f"{target.name}: {error}")
    if failed:
        raise DeliveryFailed(" ".join(failed))
