"""``ctm erase``: a person is removed from everything, and it is proved; and who has asked for it."""

import os
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ctm_analytics.cli.options import DEFAULT_DATA, Account, LocalData, Platform
from ctm_analytics.errors import CtmError, InvalidArgument
from ctm_analytics.identity import phone_spellings

if TYPE_CHECKING:
    from ctm_analytics.imports.erasing import Identities
    from receiver.store.folder import DataFolder
    from receiver.store.tombstones import Person

app = typer.Typer()

_SHORTEST_ID = 5


class ErasureFailed(CtmError):
    """Somebody who was to be erased is named still."""


@app.command(epilog="Example: ctm erase --contact 7219453208114 --dry-run")
def erase(
    *,
    contact: Annotated[
        list[str] | None,
        typer.Option(help="PSID, IGSID, BSUID or wa_id; give several for one person.", metavar="ID"),
    ] = None,
    platform: Platform = None,
    account: Account = None,
    request: Annotated[
        str | None,
        typer.Option(help="Close a deletion request, with its --contact if one is known.", metavar="CODE"),
    ] = None,
    requests: Annotated[
        bool, typer.Option("--requests", help="Carry out every open request whose id is a contact here.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go; remove nothing.")] = False,
    data: LocalData = DEFAULT_DATA,
) -> None:
    """Remove a person from events, journal and imports, and prove it; alone: list open deletion requests."""
    from ctm_analytics.settings import load_settings
    from receiver.errors import ReceiverError
    from receiver.settings import load_events_url
    from receiver.store.folder import DataFolder

    if not data.is_dir():
        raise InvalidArgument(f"{data.absolute()}: no such folder. Name the data folder.")
    _check_place(platform, account, is_heard=bool(contact) and not (request or requests))
    if requests and (contact or request):
        raise InvalidArgument(
            "--requests: it carries out all that are open. Leave --contact and --request away."
        )
    if url := load_events_url(data, os.environ) or load_settings(data, os.environ).imports_url:
        raise InvalidArgument(
            f"events_url, imports_url: `ctm erase` does not reach {url} yet, so the person would stay there."
            " Remove them there by hand, then take these settings away and erase here."
        )
    # What is written anew must be as unreadable for others as it was.
    os.umask(0o077)
    folder = DataFolder(data)
    try:
        folder.create()
        if requests:
            _carry_out_known(folder, dry_run)
        elif contact is None and request is None:
            _list_requests(folder)
        elif request is not None:
            _carry_out(folder, request, contact or [], dry_run)
        else:
            _erase(folder, contact or [], platform, account, dry_run)
    except ReceiverError as error:
        raise ErasureFailed(str(error)) from None
    except OSError as error:
        raise ErasureFailed(
            f"{error.filename or data}: {error.strerror}. Run the same command again."
        ) from None


def _check_place(platform: str | None, account: str | None, *, is_heard: bool) -> None:
    if platform not in (None, "messenger", "instagram", "whatsapp"):
        raise InvalidArgument(f"--platform: {platform!r} is not messenger, instagram or whatsapp.")
    if (platform or account) and not is_heard:
        raise InvalidArgument("--platform, --account: they say where to erase a --contact, and nothing else.")


def _erase(
    folder: "DataFolder", contacts: Iterable[str], platform: str | None, account: str | None, dry_run: bool
) -> Counter[str]:
    """Erase one person; what was found of them."""
    from ctm_analytics.engines.spilling import remove_left_spills
    from ctm_analytics.imports.erasing import ErasedContact, erase_contact
    from receiver.deliveries import ReadingOptions
    from receiver.settings import load_reading_settings
    from receiver.store.derived import remove_derived
    from receiver.store.erasure import erase as erase_captured
    from receiver.store.erasure import latest_receipt, publish_everything
    from receiver.store.tombstones import Person, add_tombstone

    options = ReadingOptions(**vars(load_reading_settings(folder.root, os.environ)))
    named = Person(_with_spellings(contacts, platform), platform, account)
    if not dry_run:
        publish_everything(folder, options)  # what is in the journal may tell further ids
    person, identities = _everything_about(folder, named)
    if identities.shared:
        fields = ", ".join(sorted({field for field, _ in identities.shared}))
        others = " ".join(f"--contact {id_}" for id_ in sorted(identities.others))
        _say(
            f"The imports give their {fields} to others too, so it is kept there. Is it one person? Add {others}."
        )
    imported = ErasedContact(*person)
    latest = latest_receipt(folder)
    now = datetime.now(UTC)
    until = max(now, latest)
    if dry_run:
        found = erase_captured(folder, person, until, is_dry_run=True)
        found += erase_contact(folder.root, imported, identities.own, is_dry_run=True)
        _say(f"would erase: {_counted(found)}")
        return found
    add_tombstone(folder, person, identities.own, now)
    publish_everything(folder, options)
    remove_derived(folder)  # while the contact is known still: who is killed after that finds it no more
    found = erase_captured(folder, person, until)
    found += erase_contact(folder.root, imported, identities.own)
    remove_derived(folder)  # made of what was there before
    remove_left_spills()
    _say(f"erased: {_counted(found)}")
    _say(f"kept out from now on: whatever comes again from before {now:%Y-%m-%d %H:%M:%S} UTC")
    _prove(folder, person, identities.own, until)
    _close_requests(folder, person, was_known=bool(found.total()))
    return found


def _everything_about(folder: "DataFolder", named: "Person") -> tuple["Person", "Identities"]:
    """Find all ids of a person, and by what else the imports know them."""
    from ctm_analytics.imports.erasing import ErasedContact, find_contacts, find_identities
    from receiver.store.erasure import find_ids
    from receiver.store.tombstones import find_kin

    kin = find_kin(folder, named)
    # An erasure that was interrupted may have left ids in the imports alone.
    imported = find_contacts(folder.root, kin.has_contact)
    found = find_ids(folder, named._replace(ids=named.ids | imported), kin)
    person = named._replace(ids=_with_spellings(found, named.platform))
    return person, find_identities(folder.root, ErasedContact(*person), kin.has_identity)


def _prove(
    folder: "DataFolder", person: "Person", identities: frozenset[tuple[str, str]], until: datetime
) -> None:
    """Search everything once more, and say what was searched.

    Raises
    ------
    ErasureFailed
        Naming the files in which the person still stands.
    """
    from ctm_analytics.imports.erasing import ErasedContact, imports_left
    from receiver.store.proof import prove
    from receiver.store.traces import Traces

    proof = prove(folder, Traces(person, until))
    imported = imports_left(folder.root, ErasedContact(*person), identities)
    left = sorted({*proof.left, *imported})
    kinds = proof.files
    _say(
        f"searched: {kinds.total():,} files, {proof.bytes:,} bytes: {kinds['parquet']:,} Parquet files row by row,"
        f" {kinds['segments']:,} segments delivery by delivery, {kinds['others']:,} others byte by byte"
    )
    if left:
        raise ErasureFailed(
            f"still named in {', '.join(left)}. Remove what you put there yourself, then run the same command again."
        )
    _say("left: nothing")


def _list_requests(folder: "DataFolder") -> None:
    from receiver.store.deletion_requests import open_requests
    from receiver.store.erasure import known_contacts

    requests = open_requests(folder)
    known = known_contacts(folder, {request.user_id or "" for request in requests})
    for request in requests:
        is_known = "a contact here" if request.user_id in known else "no contact here: find out whose it is"
        print(f"{request.code}  received {request.received_at:%Y-%m-%d}  user {request.user_id}: {is_known}")
    _say(
        f"{len(requests)} open deletion requests. Carry one out with ctm erase --request CODE [--contact ID]."
    )


def _carry_out_known(folder: "DataFolder", dry_run: bool) -> None:
    from receiver.errors import ReceiverError
    from receiver.store.deletion_requests import open_requests
    from receiver.store.erasure import known_contacts

    requests = open_requests(folder)
    known = known_contacts(folder, {request.user_id or "" for request in requests})
    failed = 0
    for request in requests:
        if request.user_id in known:
            try:
                _carry_out(folder, request.code, [], dry_run)
            except (CtmError, ReceiverError, OSError) as error:  # the others are not to wait for this one
                _say(f"request {request.code} is not carried out: {error}")
                failed += 1
    if failed:
        raise ErasureFailed(
            f"{failed} of {len(requests)} open requests failed, as said above; they stay open."
            " Mend what stops them, then run the same command again."
        )


def _carry_out(folder: "DataFolder", code: str, contacts: Iterable[str], dry_run: bool) -> None:
    """Erase whom a request is about, and close it."""
    from receiver.store.deletion_requests import find_request

    found = find_request(folder, code)
    if found is None:
        raise InvalidArgument(
            f"--request: {code!r} is no deletion request. ctm erase lists those that are open."
        )
    if found.user_id is None:
        _say(f"{code} was closed on {found.closed_at:%Y-%m-%d}.")
        return
    _erase(folder, [*contacts, found.user_id], None, None, dry_run)


def _close_requests(folder: "DataFolder", person: "Person", *, was_known: bool) -> None:
    from receiver.store.deletion_requests import close_request, open_requests

    for request in open_requests(folder):
        if request.user_id in person.ids:
            close_request(folder, request, was_known=was_known)
            _say(f"closed: request {request.code}")


def _with_spellings(contacts: Iterable[str], platform: str | None) -> frozenset[str]:
    """Add the other spelling of a WhatsApp number."""
    ids = frozenset(contact.strip() for contact in contacts)
    if "" in ids:
        raise InvalidArgument("--contact: it is empty. Give the id that ctm conversations shows.")
    for id_ in sorted(ids):
        if len(id_) < _SHORTEST_ID or not any(sign.isdecimal() for sign in id_):
            # Such a word stands in the events of everybody: "text", "id", 1.
            raise InvalidArgument(f"--contact: {id_!r} is no id. Give the id that ctm conversations shows.")
    if platform not in (None, "whatsapp"):
        return ids
    return ids | {phone.removeprefix("+") for id_ in ids for phone in phone_spellings(id_)}


def _counted(found: Counter[str]) -> str:
    return (
        f"{found['events']:,} events, mentions in {found['others']:,} events of others, {found['deliveries']:,} raw"
        f" deliveries, {found['quarantined']:,} files in quarantine, {found['contacts']:,} rows of contacts;"
        f" {found['sales']:,} sales lost their keys and keep their amounts"
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
