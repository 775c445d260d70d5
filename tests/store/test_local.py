"""What the store promises: whole or absent, once, verified, and one winner of any number of writers."""

import json
import multiprocessing
import os
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from perennial.clock import between
from perennial.errors import CorruptPartitionError, LateWriterError, NotPublishedError, UnsafeNameError
from perennial.store.durable import TEMPORARY
from perennial.store.local import LocalStore

DATASET = "delay/table.flights"
NIGHT = "2013-05-12"


def rows(start: int = 0, count: int = 50) -> pa.Table:
    """Make a table that tells where it came from."""
    return pa.table({"id": list(range(start, start + count)), "value": [start / 7] * count})


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Open an empty store."""
    return LocalStore(tmp_path / "store")


def files(store: LocalStore, pattern: str) -> list[Path]:
    """List what lies in the partition."""
    return sorted((store.root / DATASET / NIGHT).glob(pattern))


def test_what_was_published_is_read_back_equal(store: LocalStore) -> None:
    """Rows, order, types and meaning come back as they went in."""
    done = store.publish(DATASET, NIGHT, rows(), meta={"from": "test"})
    assert done.fresh
    assert store.read(DATASET, NIGHT).equals(rows())
    assert store.read(DATASET, NIGHT, ["value"]).column_names == ["value"]
    assert done.manifest == store.manifest(DATASET, NIGHT)
    assert done.manifest.meta == {"from": "test"}
    assert done.manifest.rows == 50


def test_nothing_published_is_said_and_never_an_empty_table(store: LocalStore) -> None:
    """An absent partition is no manifest, version 0, and an error when it is read."""
    assert store.manifest(DATASET, NIGHT) is None
    assert store.version(DATASET, NIGHT) == 0
    assert store.keys(DATASET) == []
    with pytest.raises(NotPublishedError, match=NIGHT):
        store.read(DATASET, NIGHT)


def test_the_same_content_again_changes_nothing(store: LocalStore) -> None:
    """Publishing twice is one publication, whatever the order of the keys of its meaning."""
    first = store.publish(DATASET, NIGHT, rows(), meta={"a": 1, "b": 0.1 + 0.2})
    again = store.publish(DATASET, NIGHT, rows(), meta={"b": 0.3, "a": 1})
    assert not again.fresh
    assert again.manifest.content == first.manifest.content
    assert len(files(store, "*")) == 2


def test_the_same_rows_with_another_meaning_are_another_content(store: LocalStore) -> None:
    """What rows were made from belongs to what they are."""
    first = store.publish(DATASET, NIGHT, rows(), meta={"inputs": "a"}).manifest
    other = store.publish(DATASET, NIGHT, rows(), meta={"inputs": "b"}).manifest
    assert (first.version, other.version) == (1, 2)
    assert first.content != other.content


def test_a_correction_takes_the_place_and_the_former_content_stays_on_disk(store: LocalStore) -> None:
    """The newest manifest is in force; older ones and their files are still there."""
    store.publish(DATASET, NIGHT, rows(0))
    store.publish(DATASET, NIGHT, rows(1))
    assert store.read(DATASET, NIGHT).equals(rows(1))
    assert len(files(store, "manifest-*")) == len(files(store, "data-*")) == 2


def test_going_back_to_former_content_is_a_publication_of_its_own(store: LocalStore) -> None:
    """A, then B, then A again: the third is in force."""
    for start in (0, 1, 0):
        assert store.publish(DATASET, NIGHT, rows(start)).fresh
    assert store.version(DATASET, NIGHT) == 3
    assert store.read(DATASET, NIGHT).equals(rows(0))


def test_a_writer_that_started_from_an_older_version_is_refused(store: LocalStore) -> None:
    """A late writer must not undo what was published after it began."""
    token = store.version(DATASET, NIGHT)
    store.publish(DATASET, NIGHT, rows(1))
    with pytest.raises(LateWriterError, match=NIGHT):
        store.publish(DATASET, NIGHT, rows(2), token=token)
    assert store.read(DATASET, NIGHT).equals(rows(1))


def test_a_late_writer_with_the_very_same_content_has_done_its_work(store: LocalStore) -> None:
    """Two attempts of one task that agree are one publication, not an error."""
    token = store.version(DATASET, NIGHT)
    store.publish(DATASET, NIGHT, rows(1))
    assert not store.publish(DATASET, NIGHT, rows(1), token=token).fresh


def _publish_at_barrier(root: str, barrier, number: int, queue, *, agree: bool) -> None:
    barrier.wait()
    try:
        done = LocalStore(Path(root)).publish(DATASET, NIGHT, rows(0 if agree else number), token=0)
        queue.put(("won" if done.fresh else "agreed", number))
    except LateWriterError:
        queue.put(("refused", number))


@pytest.mark.parametrize(("width", "agree"), [(2, False), (8, False), (8, True)])
def test_of_real_processes_at_a_barrier_exactly_one_wins(
    store: LocalStore, width: int, *, agree: bool
) -> None:
    """However many publish at once, one publication is made and every loser knows it."""
    context = multiprocessing.get_context("fork")
    for round_number in range(5):
        root = store.root / str(round_number)
        barrier, queue = context.Barrier(width), context.Queue()
        workers = [
            context.Process(
                target=_publish_at_barrier, args=(str(root), barrier, number, queue), kwargs={"agree": agree}
            )
            for number in range(width)
        ]
        for worker in workers:
            worker.start()
        ended = [queue.get(timeout=60) for _ in workers]
        for worker in workers:
            worker.join()
        outcomes = [outcome for outcome, _ in ended]
        winner = next(number for outcome, number in ended if outcome == "won")
        assert outcomes.count("won") == 1
        assert outcomes.count("agreed" if agree else "refused") == width - 1
        assert LocalStore(root).read(DATASET, NIGHT).equals(rows(0 if agree else winner))


def test_a_reader_during_publications_sees_one_of_them_whole(store: LocalStore) -> None:
    """While a writer publishes again and again, every read is one of its tables, never a mixture or nothing."""
    store.publish(DATASET, NIGHT, rows(0))
    stop, seen, wrong = threading.Event(), set(), []

    def read() -> None:
        reader = LocalStore(store.root)
        while not stop.is_set():
            ids = reader.read(DATASET, NIGHT)["id"].to_pylist()
            seen.add(ids[0])
            if ids != list(range(ids[0], ids[0] + 50)):
                wrong.append(ids)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for start in range(1, 101):
        store.publish(DATASET, NIGHT, rows(start))
    stop.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(seen) > 3
    assert seen <= set(range(101))


def test_every_flipped_bit_of_the_data_is_found_before_use(store: LocalStore) -> None:
    """One bit, anywhere in the file: the partition is refused by name, never silently read."""
    store.publish(DATASET, NIGHT, rows(3, 400))
    (path,) = files(store, "data-*")
    whole = path.read_bytes()
    chance = np.random.default_rng(7)
    for place in chance.integers(0, len(whole) * 8, 120):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(CorruptPartitionError, match=path.name):
            LocalStore(store.root).read(DATASET, NIGHT)
    path.write_bytes(whole)
    assert LocalStore(store.root).read(DATASET, NIGHT).equals(rows(3, 400))


def test_a_truncated_or_missing_file_is_found_before_use(store: LocalStore) -> None:
    """A file cut anywhere, or gone, is named with what was expected."""
    manifest = store.publish(DATASET, NIGHT, rows()).manifest
    (path,) = files(store, "data-*")
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 30).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptPartitionError, match=manifest.parts[0].sha256):
            LocalStore(store.root).read(DATASET, NIGHT)
    path.unlink()
    with pytest.raises(CorruptPartitionError, match="missing"):
        LocalStore(store.root).read(DATASET, NIGHT)


def test_damage_after_a_file_was_verified_is_found_in_the_same_process(store: LocalStore) -> None:
    """A file is verified again when it is not the very file that was verified."""
    store.publish(DATASET, NIGHT, rows())
    store.read(DATASET, NIGHT)
    (path,) = files(store, "data-*")
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(CorruptPartitionError):
        store.read(DATASET, NIGHT)


def test_a_verified_file_does_not_vouch_for_another_hash(store: LocalStore) -> None:
    """That some file was verified once says nothing about a manifest that expects other bytes."""
    store.publish(DATASET, NIGHT, rows())
    store.read(DATASET, NIGHT)
    (path,) = files(store, "manifest-*")
    value = json.loads(path.read_text())
    manifest = store.manifest(DATASET, NIGHT)
    assert manifest is not None
    forged = {**value["parts"][0], "sha256": "0" * 64}
    other = type(manifest)(DATASET, NIGHT, 1, (type(manifest.parts[0])(**forged),), manifest.meta)
    with pytest.raises(CorruptPartitionError):
        store.verified(other)


@pytest.mark.parametrize("damage", ["", "{", "[]", '"text"', "null", '{"dataset": "x"}'])
def test_a_damaged_manifest_is_named(store: LocalStore, damage: str) -> None:
    """What is no manifest is said to be none, with its path."""
    store.publish(DATASET, NIGHT, rows())
    (path,) = files(store, "manifest-*")
    path.write_text(damage)
    with pytest.raises(CorruptPartitionError, match=path.name):
        store.manifest(DATASET, NIGHT)


def test_every_changed_value_of_a_manifest_is_found(store: LocalStore) -> None:
    """A manifest carries the hash of what it says: other meaning, parts or names do not pass."""
    store.publish(DATASET, NIGHT, rows(), meta={"rows": 50})
    (path,) = files(store, "manifest-*")
    value = json.loads(path.read_text())
    part = value["parts"][0]
    changed = [
        {**value, "meta": {"rows": 51}},
        {**value, "parts": [{**part, "sha256": "0" * 64}]},
        {**value, "parts": [{**part, "name": "../other.parquet"}]},
        {**value, "parts": [{**part, "rows": 49}]},
        {**value, "dataset": "delay/table.other"},
        {**value, "dataset": "../outside"},
        {**value, "key": "2013-05-13"},
        {**value, "version": 7},
    ]
    for one in changed:
        path.write_text(json.dumps(one))
        with pytest.raises((CorruptPartitionError, UnsafeNameError)):
            store.read(DATASET, NIGHT)


def test_data_without_a_manifest_is_not_published(store: LocalStore) -> None:
    """A writer that died before its switch has published nothing, and its successor publishes as if alone."""
    folder = store.root / DATASET / NIGHT
    folder.mkdir(parents=True)
    store._write_part(folder, rows())
    assert store.version(DATASET, NIGHT) == 0
    assert store.keys(DATASET) == []
    assert store.publish(DATASET, NIGHT, rows()).fresh
    assert len(files(store, "data-*")) == 1


def test_what_dead_writers_left_is_swept_and_what_living_ones_write_is_not(store: LocalStore) -> None:
    """The next publication clears away temporary files of processes that no longer live, and no others."""
    store.publish(DATASET, NIGHT, rows())
    folder = store.root / DATASET / NIGHT
    context = multiprocessing.get_context("fork")
    ended = context.Process(target=os._exit, args=(0,))
    ended.start()
    ended.join()
    dead = folder / f"{TEMPORARY}{ended.pid}-00000000"
    living = folder / f"{TEMPORARY}{os.getpid()}-00000000"
    for path in (dead, living):
        path.write_bytes(b"half")
    store.publish(DATASET, NIGHT, rows(1))
    assert not dead.exists()
    assert living.exists()


def test_a_stray_temporary_name_does_not_stop_a_publication(store: LocalStore) -> None:
    """A file that somebody named like ours is left alone."""
    store.publish(DATASET, NIGHT, rows())
    stray = store.root / DATASET / NIGHT / f"{TEMPORARY}old"
    stray.write_text("by hand")
    assert store.publish(DATASET, NIGHT, rows(1)).fresh


def test_publishing_leaves_no_temporary_file(store: LocalStore) -> None:
    """Whatever the outcome, only data and manifests stay."""
    store.publish(DATASET, NIGHT, rows())
    store.publish(DATASET, NIGHT, rows())
    with pytest.raises(LateWriterError):
        store.publish(DATASET, NIGHT, rows(2), token=0)
    assert files(store, f"{TEMPORARY}*") == []


@pytest.mark.parametrize(
    ("dataset", "key"),
    [
        ("delay", NIGHT),
        ("../delay/table", NIGHT),
        ("delay/../table", NIGHT),
        ("/delay/table", NIGHT),
        ("delay/table\n", NIGHT),
        ("Delay/table", NIGHT),
        ("delay//table", NIGHT),
        (DATASET, ".."),
        (DATASET, "../x"),
        (DATASET, "a/b"),
        (DATASET, ""),
        (DATASET, ".hidden"),
        (DATASET, "a\n"),
        (DATASET, "a\0"),
        (DATASET, "x" * 121),
    ],
)
def test_a_name_that_is_a_path_is_refused(store: LocalStore, dataset: str, key: str) -> None:
    """Names of data sets and partitions cannot leave the store, and nothing is made of a bad one."""
    with pytest.raises(UnsafeNameError):
        store.publish(dataset, key, rows())
    assert not store.root.exists()


def test_keys_are_listed_in_order_between_two_nights(store: LocalStore) -> None:
    """Both ends are included; other data sets and strays do not show."""
    for key in ("2013-05-14", "2013-05-12", "2013-05-13"):
        store.publish(DATASET, key, rows())
    store.publish("delay/table.weather", "2013-05-15", rows())
    (store.root / DATASET / "2013-05-16").mkdir()
    (store.root / DATASET / "note.txt").write_text("by hand")
    assert store.keys(DATASET) == ["2013-05-12", "2013-05-13", "2013-05-14"]
    assert store.keys(DATASET, "2013-05-13", "2013-05-14") == ["2013-05-13", "2013-05-14"]


def test_exactly_the_columns_asked_for_are_read_in_the_order_asked_for(store: LocalStore) -> None:
    """A name that begins a nested column's path, or holds a dot itself, is that name and no other."""
    whole = pa.table({"b": [1], "a.b": [2], "a": [{"b": 3, "c": 4}], "f:x": ["y"]})
    store.publish(DATASET, NIGHT, whole)
    for names in (["a"], ["a.b"], ["f:x", "b"], ["a", "a.b"]):
        assert store.read(DATASET, NIGHT, names).equals(whole.select(names))
    with pytest.raises(KeyError, match="absent"):
        store.read(DATASET, NIGHT, ["absent"])


def test_what_other_processes_publish_is_seen_at_once(store: LocalStore) -> None:
    """A store remembers what it has read, and never takes it for what there is."""
    store.publish(DATASET, NIGHT, rows())
    assert store.keys(DATASET) == [NIGHT]
    assert store.read(DATASET, NIGHT).equals(rows())
    other = LocalStore(store.root)
    other.publish(DATASET, NIGHT, rows(1))
    other.publish(DATASET, "2013-05-13", rows(2))
    assert store.keys(DATASET) == [NIGHT, "2013-05-13"]
    assert store.version(DATASET, NIGHT) == 2
    assert store.read(DATASET, NIGHT).equals(rows(1))


@pytest.mark.parametrize("pause", [0.0, 0.03, 0.12])
def test_a_list_of_nights_is_never_older_than_the_last_publication(store: LocalStore, pause: float) -> None:
    """However long ago the nights were listed, one published since by another process is among them."""
    other = LocalStore(store.root)
    for count, night in enumerate(between("2013-01-01", "2013-01-12"), start=1):
        other.publish(DATASET, night, rows())
        assert [len(store.keys(DATASET)) for _ in range(3)] == [count] * 3
        time.sleep(pause)
        assert len(store.keys(DATASET)) == count


def test_a_partition_that_was_begun_and_not_published_is_listed_once_it_is(store: LocalStore) -> None:
    """A folder without a manifest is looked into again, although the folder above it does not change any more."""
    (store.root / f"{DATASET}/2013-01-01").mkdir(parents=True)
    for _ in range(2):
        assert store.keys(DATASET) == []
        time.sleep(0.12)
    LocalStore(store.root).publish(DATASET, "2013-01-01", rows())
    assert store.keys(DATASET) == ["2013-01-01"]


def test_damage_to_a_manifest_that_was_read_is_found_in_the_same_process(store: LocalStore) -> None:
    """A manifest is read again when it is not the very file that was read."""
    store.publish(DATASET, NIGHT, rows())
    assert store.manifest(DATASET, NIGHT) is not None
    (path,) = files(store, "manifest-*")
    path.write_text(path.read_text() + " {")
    with pytest.raises(CorruptPartitionError, match=path.name):
        store.manifest(DATASET, NIGHT)


def test_several_partitions_are_one_table_in_the_order_asked_for(store: LocalStore) -> None:
    """Nothing is asked for, nothing is returned; a later column is missing in earlier partitions."""
    store.publish(DATASET, "a", rows(0, 2))
    store.publish(DATASET, "b", rows(2, 2).append_column("new", pa.array(["x", "y"])))
    whole = store.read_many(DATASET, ["b", "a"])
    assert whole is not None
    assert whole["id"].to_pylist() == [2, 3, 0, 1]
    assert whole["new"].to_pylist() == ["x", "y", None, None]
    assert store.read_many(DATASET, []) is None


def test_a_partition_without_rows_keeps_its_columns(store: LocalStore) -> None:
    """A night on which nothing happened is a published fact."""
    store.publish(DATASET, NIGHT, rows().slice(0, 0))
    assert store.read(DATASET, NIGHT).schema.equals(rows().schema)
    assert store.keys(DATASET) == [NIGHT]
