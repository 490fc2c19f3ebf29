"""The work of a sweep: the same results whoever does it, kept by content, found again, never half."""

import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from plant.base.problems import ProblemsError
from plant.inputs import array_span
from tests.plants import site
from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.figures.monthly import FIGURES
from tracertwin.sizing.sweep import evaluating, shareddays
from tracertwin.sizing.sweep.results import KeptResults, content_of, key_of, results_version
from tracertwin.sizing.sweep.running import run_in_threads
from tracertwin.sizing.sweep.worklist import Share, Work, WorkItem, parse_share, work_of
from tracertwin.sizing.sweep.years import WeatherYear, blocks_of, weather_years

HOUR = 3600
AMPERE_HOURS = (60.0, 240.0)


@pytest.fixture(scope="module")
def work() -> Work:
    """Two arrays and two batteries through six years, in blocks of five and one."""
    designs = [
        site(array={"parallel": parallel}, battery={"capacity_ah": ah})
        for parallel in (1, 2)
        for ah in AMPERE_HOURS
    ]
    return work_of(designs, weather_years(designs[0], 6, ()), HOUR)


def do(work: Work, results: KeptResults, items=None, threads: int = 2) -> None:
    run_in_threads(work, work.items if items is None else items, results, threads, KeptSkies())


def written(folder: Path) -> dict[str, bytes]:
    """Name and bytes of each file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def alone(work, tmp_path_factory) -> dict[str, bytes]:
    """What one thread leaves."""
    folder = tmp_path_factory.mktemp("alone")
    do(work, KeptResults(folder), threads=1)
    return written(folder)


# --- the list ---


def test_each_design_has_an_item_for_every_few_years_and_arrays_stand_together(work):
    assert [years for _, years in work.parts[0]] == [5, 1]
    assert [item.design for item in work.items] == [0, 1, 0, 1, 2, 3, 2, 3]
    assert len({item.key for item in work.items}) == len(work.items)


def test_the_days_of_a_run_are_made_once_however_short_its_steps(monkeypatch, tmp_path):
    made = []

    def span(*around):
        made.append(around[2])
        return array_span(*around)

    monkeypatch.setattr(shareddays, "array_span", span)
    two = [site(battery={"capacity_ah": ah}) for ah in AMPERE_HOURS]
    work = work_of(two, weather_years(two[0], 5, ()), 300)
    do(work, KeptResults(tmp_path), threads=1)
    assert len(made) == len(set(made)) == 5


def test_blocks_keep_seeds_apart_and_longer_sweeps_find_the_blocks_of_shorter_ones():
    seven = [WeatherYear(seed, year) for seed in (1, 2) for year in range(2026, 2033)]
    assert [len(block) for block in blocks_of(seven)] == [5, 2, 5, 2]
    twenty = [WeatherYear(1, year) for year in range(2026, 2046)]
    assert blocks_of(twenty)[0] == blocks_of(seven)[0]


@pytest.mark.parametrize("of", [1, 2, 3, 5, 12, 40])
def test_shares_are_all_of_the_work_each_item_in_one(work, of):
    shares = [Share(number, of).items(work.items, 0) for number in range(1, of + 1)]
    assert [item for share in shares for item in share] == list(work.items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(("sites", "each", "of"), [(3, 1, 3), (40, 4, 40), (12, 5, 4), (10, 7, 3)])
def test_sites_of_few_items_are_shared_out_evenly(sites, each, of):
    """Each takes its turn: else the last share had the only item of all of them."""
    done = [
        sum(len(Share(number, of).items(range(each), place)) for place in range(sites))
        for number in range(1, of + 1)
    ]
    assert sum(done) == sites * each
    assert max(done) - min(done) <= each // of + 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4", ""])
def test_a_share_that_is_none_is_told(text):
    with pytest.raises(ValueError, match=r"must be i/N with i from 1 to N"):
        parse_share(text)


def test_designs_that_are_alike_are_done_once(work):
    twice = work_of([*work.sites, work.sites[1]], weather_years(work.sites[0], 6, ()), HOUR)
    assert [item.key for item in twice.items] == [item.key for item in work.items]
    assert twice.parts[-1] == twice.parts[1]


# --- the same bytes ---


def test_threads_and_shares_in_any_order_one_done_twice_leave_the_same_bytes(work, alone, tmp_path):
    together, shared = tmp_path / "together", tmp_path / "shared"
    do(work, KeptResults(together))
    for number in (3, 1, 4, 3, 2):
        do(work, KeptResults(shared), Share(number, 4).items(work.items, 0))
    assert written(together) == alone
    assert written(shared) == alone


def test_shares_of_different_machines_come_together_in_one_folder(work, alone, tmp_path):
    for number in (1, 2):
        do(work, KeptResults(tmp_path / str(number)), Share(number, 2).items(work.items, 0))
    shutil.copytree(tmp_path / "2", tmp_path / "1", dirs_exist_ok=True)
    assert written(tmp_path / "1") == alone
    assert work.missing(work.items, KeptResults(tmp_path / "1")) == []


def test_all_years_of_a_design_are_in_their_order(work, tmp_path):
    results = KeptResults(tmp_path)
    do(work, results)
    figures = work.figures(3, results)
    assert figures.table.shape == (6, 12, len(FIGURES))
    assert figures.yearly("hours").tolist() == [8760, 8760, 8784, 8760, 8760, 8760]


# --- kept ---


def test_what_is_kept_is_not_done_again(work, alone, tmp_path, monkeypatch):
    do(work, KeptResults(tmp_path))

    def never(*_: object) -> None:
        raise AssertionError("run again")

    monkeypatch.setattr(evaluating, "Plant", never)
    results = KeptResults(tmp_path)
    assert work.missing(work.items, results) == []
    do(work, results, work.missing(work.items, results))
    assert written(tmp_path) == alone


def test_a_stopped_run_keeps_what_it_has_done(work, alone, tmp_path):
    results, heard = KeptResults(tmp_path), []

    def stop(item) -> None:
        heard.append(item)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_threads(work, work.items, results, 2, KeptSkies(), stop)
    kept = written(tmp_path)
    assert len(heard) == 1
    assert 1 <= len(kept) < len(alone)
    assert kept.items() <= alone.items()
    left = work.missing(work.items, KeptResults(tmp_path))
    assert len(left) == len(alone) - len(kept)
    do(work, KeptResults(tmp_path), left)
    assert written(tmp_path) == alone


@pytest.mark.parametrize("spoil", [lambda b: b[:-9], lambda b: b"", lambda b: b[:40] + b"x" + b[41:]])
def test_a_file_that_is_not_whole_is_recognised_and_done_again(work, alone, tmp_path, spoil):
    results = KeptResults(tmp_path)
    do(work, results, work.items[:2])
    path = next(path for path in tmp_path.rglob("*.figures") if path.stem == work.items[0].key)
    path.write_bytes(spoil(path.read_bytes()))
    later = KeptResults(tmp_path)
    assert later.spoiled(work.items[0].key)
    assert not later.spoiled(work.items[1].key)
    assert work.missing(work.items[:2], later) == [work.items[0]]
    do(work, later, work.items[:1])
    assert path.read_bytes() == alone[str(path.relative_to(tmp_path))]


def test_the_draft_that_a_killed_run_leaves_is_no_result(work, tmp_path):
    results = KeptResults(tmp_path)
    do(work, results, work.items[:1])
    path = next(tmp_path.rglob("*.figures"))
    path.rename(path.with_name(f".{path.stem}.4711.figures"))
    assert work.missing(work.items[:1], KeptResults(tmp_path)) == [work.items[0]]


def test_a_folder_that_was_asked_for_and_can_not_be_written_is_an_error_and_a_cache_is_not(
    work, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProblemsError, match=r"--results: .* is a file, not a folder"):
        KeptResults(tmp_path / "file")
    results, path = KeptResults(tmp_path / "folder"), tmp_path / "folder" / results_version()
    path.parent.mkdir()
    path.write_text("")
    with pytest.raises(ProblemsError, match=r"ab\.figures: cannot write: "):
        results.put("ab", np.zeros((1, 12, len(FIGURES))))
    monkeypatch.setenv("TRACERTWIN_CACHE", str(tmp_path / "file"))
    results = KeptResults()
    results.put("ab", np.ones((1, 12, len(FIGURES))))
    found = results.get("ab", 1)
    assert found is not None
    assert found.all()


# --- what a result is called ---


@pytest.mark.parametrize(
    "changes",
    [
        {"battery": {"capacity_ah": 101.0}}, {"battery": {"model": "gel"}}, {"array": {"tilt_deg": 24.0}},
        {"load": {"scale": 1.1}}, {"sky": {"irradiance_scale": 0.9}}, {"controller": {"boost_min": 60}},
        {"location": {"latitude_deg": 46.81}}, {"controller": {"model": "tracer2210n"}},
    ],
)  # fmt: skip
def test_whatever_changes_a_run_changes_the_name_of_its_result(changes):
    assert content_of(site(**changes)) != content_of(site())


@pytest.mark.parametrize(
    "changes", [{"name": "Hut"}, {"start": "2030-01-01T00:00"}, {"seed": 3}, {"costs": {"interest": 0.1}}]
)
def test_names_and_prices_do_not(changes):
    assert content_of(site(**changes)) == content_of(site())


def test_seed_year_and_step_are_part_of_the_name():
    content, year = content_of(site()), WeatherYear(1, 2026)
    keys = {
        key_of(content, [year], HOUR), key_of(content, [year], 900), key_of(content, [WeatherYear(2, 2026)], HOUR),
        key_of(content, [WeatherYear(1, 2027)], HOUR), key_of(content, [year, year], HOUR),
    }  # fmt: skip
    assert len(keys) == 5


def test_a_battery_file_that_is_edited_is_another_battery(tmp_path):
    from plant.base import configs

    own = tmp_path / "mine.yaml"
    text = configs.find("batteries", "agm").read_text(encoding="utf-8")
    own.write_text(text, encoding="utf-8")
    before = content_of(site(battery={"model": str(own)}))
    own.write_text(text + "# another word\n", encoding="utf-8")
    assert content_of(site(battery={"model": str(own)})) != before


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """Also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_sweep_whenever_it_comes_and_leaves_the_signal_as_it_was(ctrl_c_is_heard):
    """While the pool holds a lock of its own, too: raised there and then it would leave that lock to nobody."""
    items = [WorkItem(0, (), str(number)) for number in range(20)]
    before = signal.getsignal(signal.SIGINT)
    for last in (*range(20), *range(19, -1, -1)):
        done: list[str] = []

        def do(item: WorkItem, _days: object, last: int = last) -> int:
            if item.key == str(last):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return 0

        kept = SimpleNamespace(put=lambda key, _table, done=done: done.append(key))
        with pytest.raises(KeyboardInterrupt):
            run_in_threads(SimpleNamespace(done=do), items, kept, 2, lambda *_: None)
        assert str(last) in done, "what was begun is kept"
        assert signal.getsignal(signal.SIGINT) is before
