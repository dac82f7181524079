"""What durability and honesty rest on, each taken away once: some test of the suite must notice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """A small change of one file, and the tests of which at least one must fail with it.

    Attributes
    ----------
    name : str
    file : str, relative to ``receiver/``
    text : str, lines of the file that stand there once
    instead : str
    tests : tuple of str, as pytest takes them, below ``tests/``
    """

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


STRUCK = "faults/test_killed_at_any_call.py::test_work_struck_at_any_call_ends_in_the_same_events"
JOURNAL, PUBLISHER = "receiver/test_journal.py", "receiver/test_publisher.py"
ERASE = "cli/test_erase.py"
COMPACTION = "receiver/test_compaction.py"
BACKGROUND, SOURCES = "receiver/test_background.py", "analytics/test_sources.py"

MUTANTS = [
    Mutant(
        "no sync before the answer",
        "store/journal.py",
        "            os.fdatasync(segment.descriptor)\n",
        "",
        (f"{JOURNAL}::test_a_delivery_is_durable_only_after_the_sync_has_returned",),
    ),
    Mutant(
        "a failed sync is tried again",
        "store/journal.py",
        "            os.fdatasync(segment.descriptor)\n",
        "            try:\n"
        "                os.fdatasync(segment.descriptor)\n"
        "            except OSError:\n"
        "                os.fdatasync(segment.descriptor)\n",
        (
            f"{JOURNAL}::test_a_failed_sync_is_never_tried_again_and_acknowledges_nothing",
            "faults/test_refusing_disk.py::test_a_sync_that_failed_is_never_tried_again_and_ends_the_receiver",
        ),
    ),
    Mutant(
        "no sync of the folder that a file is renamed into",
        "store/publisher.py",
        "        sync_folder(path.parent)\n",
        "",
        (f"{PUBLISHER}::test_events_are_durable_under_their_name_before_their_segment_leaves_the_journal",),
    ),
    Mutant(
        "no sync of the folder of a new segment",
        "store/open_segment.py",
        "        os.fsync(descriptor)\n        sync_folder(folder)\n",
        "        os.fsync(descriptor)\n",
        (f"{JOURNAL}::test_the_name_of_a_segment_is_durable_before_its_first_delivery_is",),
    ),
    Mutant(
        "a part of a frame stays",
        "store/journal.py",
        "                os.ftruncate(self._segment.descriptor, self._segment.size)\n",
        "                pass\n",
        (f"{JOURNAL}::test_a_file_that_may_not_grow_acknowledges_only_what_is_whole_on_disk",),
    ),
    Mutant(
        "the next segment is made when it is needed, and must be",
        "store/journal.py",
        "            if error.errno not in (errno.ENOSPC, errno.EDQUOT):\n                raise\n",
        "            raise\n",
        (f"{JOURNAL}::test_a_segment_that_cannot_be_followed_goes_on_until_it_can",),
    ),
    Mutant(
        "what is set aside is never given back",
        "store/open_segment.py",
        "    os.ftruncate(segment.descriptor, segment.size)\n",
        "",
        (f"{JOURNAL}::test_space_is_set_aside_for_the_open_segments_and_given_back",),
    ),
    Mutant(
        "an answer waits for a seal",
        "store/journal.py",
        "            finishing = self._helper.submit(finish_segment, self._segment)\n",
        "            finishing = self._helper.submit(finish_segment, self._segment)\n"
        "            finishing.exception()\n",
        (f"{JOURNAL}::test_an_answer_waits_for_no_seal",),
    ),
    Mutant(
        "a disk without space takes what was set aside for nothing",
        "store/journal.py",
        "        return size <= self._segment.reserved\n",
        "        return True\n",
        (f"{JOURNAL}::test_a_nearly_full_disk_accepts_what_was_set_aside_and_then_nothing_until_there_is_space",),
    ),
    Mutant(
        "renamed before it is synced",
        "store/folder.py",
        "        os.fsync(descriptor)\n    finally:\n        os.close(descriptor)\n"
        "    temporary.rename(path)\n    sync_folder(path.parent)\n",
        "    finally:\n        os.close(descriptor)\n"
        "    temporary.rename(path)\n    sync_file(path)\n    sync_folder(path.parent)\n",
        (f"{PUBLISHER}::test_a_manifest_is_durable_before_it_replaces_the_last_and_then_its_name",),
    ),
    Mutant(
        "published before it is synced",
        "store/parquet.py",
        "    sync_file(path)\n",
        "",
        (f"{PUBLISHER}::test_events_are_durable_under_their_name_before_their_segment_leaves_the_journal",),
    ),
    Mutant(
        "known by the body instead of the event",
        "store/publisher.py",
        "if self._seen.add(event.event_id)]",
        "if self._seen.add(event.delivery_id)]",
        (f"{PUBLISHER}::test_an_event_that_comes_again_is_stored_once",),
    ),
    Mutant(
        "compared in a time that tells how much was right",
        "signature.py",
        "hmac.compare_digest(hmac.digest(secret, body, hashlib.sha256), claimed)",
        "hmac.digest(secret, body, hashlib.sha256) == claimed",
        ("receiver/test_signature.py::test_every_secret_is_compared_in_constant_time",),
    ),
    Mutant(
        "the segment leaves before its events are published",
        "store/publisher.py",
        '            deliveries = self._whole_deliveries(segment, name, publication)\n',
        '            deliveries = self._whole_deliveries(segment, name, publication)\n'
        '            segment = segment.rename(self._folder.done / f"{name}.wal")\n',
        (f"{STRUCK}[publish killed]",),
    ),
    Mutant(
        "known before it is published",
        "store/publisher.py",
        "        temporary.rename(path)\n",
        "        self._seen.commit()\n        temporary.rename(path)\n",
        (f"{STRUCK}[publish killed]",),
    ),
    Mutant(
        "what is settled stays among what is recent",
        "store/compaction.py",
        "(following, following + 1)), names, new)\n",
        "manifest.live), names, new)\n",
        (f"{STRUCK}[compact killed]",),
    ),
    Mutant(
        "the settled files are listed before they have their names",
        "store/compaction.py",
        "        path = file.path.rename(day / f\"{stem}-{part}.parquet\")\n",
        "        path = day / f\"{stem}-{part}.parquet\"\n"
        "        entry = SettledFile(str(path.relative_to(folder.events)), file.rows, file.sha256, generation)\n"
        "        manifest = current_manifest(folder)\n"
        "        write_manifest(folder, manifest._replace(settled=(*manifest.settled, entry)))\n"
        "        file.path.rename(path)\n",
        (f"{STRUCK}[compact killed]",),
    ),
    Mutant(
        "a short write is taken for a whole one",
        "store/folder.py",
        "    while view:\n        view = view[os.write(descriptor, view) :]\n",
        "    os.write(descriptor, view)\n",
        (f"{JOURNAL}::test_a_short_write_is_completed",),
    ),
    Mutant(
        "an answer before the sync",
        "store/journal.py",
        "            self._write(content)\n",
        "            self._loop.call_soon_threadsafe(self._acknowledge, group, 0.0)\n"
        "            self._write(content)\n",
        (f"{JOURNAL}::test_a_delivery_is_durable_only_after_the_sync_has_returned",),
    ),
    Mutant(
        "a closed generation is written to",
        "store/manifest.py",
        "    return second if (first / CLOSED_FILE).exists() else first\n",
        "    return first\n",
        (f"{COMPACTION}::test_a_compaction_can_be_given_up",),
    ),
    Mutant(
        "closed before the one before is removed",
        "store/compaction.py",
        "        if not closed_generations(folder):\n            _settle",
        "        if True:\n            _settle",
        (f"{COMPACTION}::test_a_generation_is_closed_only_once_the_one_before_is_removed",),
    ),
    Mutant(
        "removed before readers are done",
        "store/compaction.py",
        "        if _age(generation / CLOSED_FILE) >= grace_seconds:\n",
        "        if True:\n",
        (f"{COMPACTION}::test_readers_that_have_listed_a_generation_can_read_it_until_the_grace_is_over",),
    ),
    Mutant(
        "a merged file is removed before readers are done",
        "store/compaction.py",
        "not in listed and _age(path) >= grace_seconds:\n",
        "not in listed:\n",
        (f"{COMPACTION}::test_merged_files_are_removed_when_their_grace_is_over_and_nothing_else_is",),
    ),
    Mutant(
        "settled names are not synced",
        "store/compaction.py",
        "        sync_folder(day)\n",
        "",
        (f"{COMPACTION}::test_every_step_is_durable_before_the_manifest_names_it",),
    ),
    Mutant(
        "the index is told of files whose events it has missed",
        "store/seen.py",
        "            if len(periods) == len(old):\n",
        "            if periods:\n",
        (f"{COMPACTION}::test_an_index_that_missed_a_file_reads_what_it_became",),
    ),
    Mutant(
        "ids of lost files stay known",
        "store/manifest.py",
        "            return generation < self.live[0]\n",
        "            return True\n",
        (f"{PUBLISHER}::test_an_index_of_the_future_does_not_swallow_events",),
    ),
    Mutant(
        "a damaged file goes with its generation",
        "store/compaction.py",
        "            _show_in(folder.generation(following), path)\n",
        "            shutil.copy(path, folder.quarantine)\n",
        (f"{COMPACTION}::test_a_damaged_file_is_left_to_readers_as_it_is_and_the_others_are_compacted",),
    ),
    Mutant(
        "a damaged file is seen in its next generation after the last is gone",
        "store/compaction.py",
        "            _show_in(folder.generation(following), path)\n",
        "            pass\n",
        (f"{COMPACTION}::test_a_damaged_file_is_read_once_also_while_it_goes_into_the_next_generation",),
    ),
    Mutant(
        "a damaged file can be found in the closed generation",
        "store/compaction.py",
        "    old.unlink()\n",
        "",
        (f"{COMPACTION}::test_a_damaged_file_is_left_to_readers_as_it_is_and_the_others_are_compacted",
         f"{COMPACTION}::test_a_damaged_file_is_read_once_also_while_it_goes_into_the_next_generation"),
    ),
    Mutant(
        "a damaged settled file is merged away",
        "store/compaction.py",
        "    old = [entry for entry in old if folder.events / entry.file in inputs]\n",
        "",
        (f"{COMPACTION}::test_a_damaged_settled_file_stays_in_the_manifest_and_the_others_of_its_day_are_merged",),
    ),
    Mutant(
        "any copy stays",
        "store/merging.py",
        "            stays.append(first == received_at and event_id not in kept)\n",
        "            stays.append(event_id not in kept)\n",
        (f"{COMPACTION}::test_of_several_copies_the_one_received_first_stays",),
    ),
    Mutant(
        "rows are not counted at the end",
        "store/merging.py",
        "    if copies != dealer.left_out:\n",
        "    if False:\n",
        (f"{COMPACTION}::test_a_compaction_that_loses_a_row_is_never_published",),
    ),
    Mutant(
        "what the index has forgotten is new",
        "store/publisher.py",
        "        if not late:\n            return\n",
        "        return\n",
        (f"{COMPACTION}::test_a_redelivery_of_what_the_index_has_forgotten_is_found_in_the_settled_files",),
    ),
    Mutant(
        "what a lost file held stays known",
        "store/publisher.py",
        "                self._catch_up()  # its file",
        "                pass  # its file",
        (f"{PUBLISHER}::test_a_segment_whose_file_was_lost_is_published_again_by_a_publisher_that_runs",),
    ),
    Mutant(
        "merged files are remembered for longer than their ids",
        "store/seen.py",
        "[(name, min(periods)) for name in new]",
        "[(name, max(periods)) for name in new]",
        (f"{COMPACTION}::test_a_merged_file_is_forgotten_with_the_oldest_of_its_ids",),
    ),
    Mutant(
        "a late event's contact is looked for in the wrong row groups",
        "store/late.py",
        "keys[position] <= statistics.max\n",
        "keys[position] < statistics.max\n",
        (f"{COMPACTION}::test_a_redelivery_of_what_the_index_has_forgotten_is_found_in_the_settled_files",),
    ),
    Mutant(
        "what was erased comes back with a redelivery",
        "store/publisher.py",
        "        stay = [self._taken_back.filtered(event) for event in events if not self._tombstones.cover(event)]\n",
        "        stay = [self._taken_back.filtered(event) for event in events]\n",
        (f"{ERASE}::test_what_comes_again_of_the_past_stays_out_and_what_comes_anew_is_kept",),
    ),
    Mutant(
        "the raw body of who was erased is kept",
        "store/publisher.py",
        "            self._leave_out_erased(segment)\n",
        "            pass\n",
        (
            f"{ERASE}::test_what_comes_again_of_the_past_stays_out_and_what_comes_anew_is_kept",
            f"{ERASE}::test_a_publication_that_was_interrupted_leaves_nothing_of_the_person_either",
        ),
    ),
    Mutant(
        "whom a key stands for is forgotten with the process",
        "store/contacts.py",
        "fetchone() == (digest,)",
        "fetchone() is not None",
        ("receiver/test_contacts.py::test_a_key_of_two_people_is_noticed_when_the_second_is_published_and_later",),
    ),
    Mutant(
        "a key of two people is looked for within a table only",
        "store/merging.py",
        "                    contacts.append(distinct_contacts(table))\n",
        "                    contacts[:] = [distinct_contacts(table)]\n",
        ("receiver/test_contacts.py::test_a_key_of_two_people_is_noticed_when_their_rows_meet",),
    ),
    Mutant(
        "an index that is made again does not know whom a key stands for",
        "store/seen.py",
        "                    self._contacts.note(key, contact, self._period)\n",
        "                    pass\n",
        ("receiver/test_contacts.py::test_an_index_that_is_made_again_knows_whose_a_key_is",),
    ),
    Mutant(
        "a segment goes on over midnight",
        "store/journal.py",
        "min(SEAL_SECONDS, to_midnight)",
        "SEAL_SECONDS",
        (f"{JOURNAL}::test_a_segment_is_sealed_at_midnight_so_that_its_file_is_of_one_day",),
    ),
    Mutant(
        "every segment is sealed at once",
        "store/journal.py",
        "min(SEAL_SECONDS, to_midnight)",
        "0",
        (f"{JOURNAL}::test_a_segment_is_sealed_at_midnight_so_that_its_file_is_of_one_day",),
    ),
    Mutant(
        "repeated ids are looked for in some parts only",
        "store/merging.py",
        "_DIGITS[part::parts]",
        "_DIGITS[part]",
        (f"{COMPACTION}::test_of_several_copies_the_one_received_first_stays",),
    ),
    Mutant(
        "a compaction that ends the process leaves no mark",
        "store/background.py",
        "        self._marker.touch()\n",
        "",
        (f"{BACKGROUND}::test_it_is_given_up_when_the_publisher_is_to_end",),
    ),
    Mutant(
        "a compaction that ended the process is tried again at once",
        "store/background.py",
        "        return COMPACT_SECONDS - (time.time() - marker.stat().st_mtime)\n",
        "        return 0.0\n",
        (f"{BACKGROUND}::test_one_that_ended_the_process_is_not_tried_again_for_an_hour",),
    ),
    Mutant(
        "a compaction that failed is tried again at once",
        "store/background.py",
        "            self._look_at = time.monotonic() + RETRY_SECONDS\n",
        "",
        (f"{BACKGROUND}::test_one_that_fails_is_counted_and_not_tried_again_at_once",),
    ),
    Mutant(
        "the publisher ends while it compacts",
        "store/background.py",
        "            self._thread.join()\n",
        "            pass\n",
        (f"{BACKGROUND}::test_it_is_given_up_when_the_publisher_is_to_end",),
    ),
    Mutant(
        "a compaction is never told to stop",
        "store/background.py",
        "        self._is_stopping.set()\n",
        "        self._is_stopping.is_set() or setattr(self, '_thread', None)\n",
        (f"{BACKGROUND}::test_it_is_given_up_when_the_publisher_is_to_end",),
    ),
    Mutant(
        "a reader trusts the first look at the manifest",
        "../ctm_analytics/sources.py",
        "        if content == before:\n",
        "        if True:\n",
        (f"{SOURCES}::test_a_compaction_while_files_are_listed_makes_the_reader_list_again",),
    ),
    Mutant(
        "a reader lists the earlier generation first",
        "../ctm_analytics/sources.py",
        "    later = _parquet_files(second)\n",
        "    earlier = _parquet_files(first)\n    later = _parquet_files(second)\n"
        "    return (*sorted(settled), *earlier, *later)\n",
        (f"{SOURCES}::test_what_is_published_while_files_are_listed_is_found_only_with_all_that_was_before",),
    ),
    Mutant(
        "a reader takes whatever lies in settled",
        "../ctm_analytics/sources.py",
        "        settled = [events / entry[\"file\"] for entry in manifest[\"settled\"]]\n",
        "        settled = list(events.glob(\"settled/*/*.parquet\"))\n",
        (f"{SOURCES}::test_settled_files_that_the_manifest_does_not_list_are_no_events",),
    ),
    Mutant(
        "a reader reads a file in both generations",
        "../ctm_analytics/sources.py",
        " if path.name not in names)\n",
        ")\n",
        (f"{SOURCES}::test_a_file_that_goes_from_one_generation_to_the_next_is_read_there_only",),
    ),
    Mutant(
        "a deletion is published before it is noted",
        "store/publisher.py",
        "        self._taken_back.note(name)\n",
        "",
        ("receiver/test_unsending.py::test_a_deletion_is_noted_before_it_is_published",),
    ),
]  # fmt: skip


def content_with(mutant: Mutant) -> str:
    """Give what a file holds with a mutant.

    Raises
    ------
    AssertionError
        If the text that it replaces is not in its file exactly once: then the mutant must be written again.
    """
    content = (ROOT / "receiver" / mutant.file).read_text()
    assert content.count(mutant.text) == 1, (
        f"{mutant.file} has changed: write the mutant {mutant.name!r} again."
    )
    return content.replace(mutant.text, mutant.instead)


def copy_project(place: Path, *mutants: Mutant) -> Path:
    """Copy the packages and the tests into a folder, with mutants; the folder."""
    for name in ("receiver", "ctm_analytics", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, place / name)
    for mutant in mutants:
        (place / "receiver" / mutant.file).write_text(content_with(mutant))
    return place


def a_test_fails(place: Path, tests: Iterable[str]) -> bool:
    """Run tests in a copy, up to the first that fails; whether one did.

    Raises
    ------
    AssertionError
        If they could not be run.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environ |= {"PYTHONPATH": str(place), "CTM_FAULTS": ""}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *(f"tests/{test}" for test in tests)],
        cwd=place, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return run.returncode == 1
