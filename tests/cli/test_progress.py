"""Progress without a terminal: plain lines on stderr."""

import pytest

from lowtide.cli.progress import progress_bar, progress_steps


def test_a_line_per_finished_item(capsys):
    with progress_bar() as progress:
        task = progress.add_task("Products", total=3)
        progress.update(task, completed=0)
        progress.update(task, completed=1)
        progress.advance(task)
        progress.update(task, completed=3, item="4 × 4")
    assert capsys.readouterr() == ("", "Products: 1 of 3\nProducts: 2 of 3\nProducts: 3 of 3, 4 × 4\n")


def test_at_most_a_line_per_hundredth_part(capsys):
    with progress_bar() as progress:
        task = progress.add_task("Steps", total=1000)
        for _ in range(1000):
            progress.advance(task)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 100
    assert (lines[0], lines[-1]) == ("Steps: 10 of 1000", "Steps: 1000 of 1000")


def test_a_long_item_has_lines_with_the_time_left(capsys, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("lowtide.cli.progress.time.monotonic", lambda: now[0])
    with progress_bar() as progress:
        task = progress.add_task("Layers", total=4)
        progress._tasks[task].get_time = lambda: now[0]
        progress._tasks[task].start_time = now[0]
        for seconds, completed, share in ((10, 0.2, None), (31, 0.5, None), (40, 0.6, None), (40, 1, 0.5), (80, 4, 1)):
            now[0] = 1000.0 + seconds
            progress.update(task, completed=completed, item="conv", share=share)
    assert capsys.readouterr().err.splitlines() == [
        "Layers: 0.5 of 4, conv, about 217 s left",
        "Layers: 1 of 4, conv, about 40 s left",
        "Layers: 4 of 4, conv",
    ]


def test_a_task_without_a_total_has_a_line_at_its_end(capsys):
    with progress_bar() as progress:
        progress.add_task("Building", total=None)
        assert capsys.readouterr().err == ""
    assert capsys.readouterr().err == "Building: 0 s\n"


def test_a_failed_task_reports_no_end(capsys):
    def fail():
        with progress_bar() as progress:
            progress.add_task("Building", total=None)
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    assert capsys.readouterr() == ("", "")


def test_steps(capsys):
    with progress_steps() as steps:
        steps.begin("synthesis")
        steps.finish("1 of 2: synthesis [ice40]")
    assert capsys.readouterr() == ("", "1 of 2: synthesis [ice40]\n")


def test_quiet(capsys):
    with progress_bar(quiet=True) as progress, progress_steps(quiet=True) as steps:
        progress.advance(progress.add_task("Products", total=1))
        steps.begin("synthesis")
        steps.finish("synthesis")
    assert capsys.readouterr() == ("", "")
