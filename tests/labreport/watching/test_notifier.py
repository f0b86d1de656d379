"""Being woken by the system."""

import select
import time

from labreport.watching.notifier import Notifier


def wakes(notifier, seconds):
    ready, _, _ = select.select([notifier], [], [], seconds)
    if ready:
        notifier.take()
    return bool(ready)


def test_it_wakes_once_it_watches_and_at_each_change_but_not_at_reading(tmp_path):
    (tmp_path / "a").write_text("1")
    notifier = Notifier([str(tmp_path)])
    try:
        assert wakes(notifier, 10)
        (tmp_path / "a").read_text()
        assert not wakes(notifier, 0.1)
        (tmp_path / "a").write_text("2")
        assert wakes(notifier, 10)
    finally:
        notifier.close()


def test_it_watches_other_folders_when_it_is_told_to(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    notifier = Notifier([str(tmp_path / "a")])
    try:
        assert wakes(notifier, 10)
        notifier.watch([str(tmp_path / "b")])
        assert wakes(notifier, 10)
        time.sleep(0.05)
        (tmp_path / "b/new").write_text("1")
        assert wakes(notifier, 10)
    finally:
        notifier.close()


def test_a_folder_that_has_gone_asks_for_another_look(tmp_path):
    notifier = Notifier([str(tmp_path / "gone")])
    try:
        assert wakes(notifier, 10)
        assert notifier.folders == ()
    finally:
        notifier.close()
