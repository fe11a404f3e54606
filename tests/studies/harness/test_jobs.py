"""Jobs: order, kept results, shared storage, interruptions and progress."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from lowtide.errors import CommandError
from lowtide_studies.harness.jobs import Job, Runner
from lowtide_studies.harness.storage import open_study

CALLS = []


def square(value):
    CALLS.append(value)
    if value < 0:
        raise ValueError(f"value must be at least 0, not {value}")
    return [value * value, 0.1 * value]


def jobs(*values, code="1"):
    return [Job(name=str(v), inputs=(code, str(v)), function=square, arguments=(v,)) for v in values]


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    return CALLS


@pytest.fixture
def storage(tmp_path):
    return tmp_path / "jobs.journal"


@pytest.mark.parametrize("processes", [1, 2])
def test_results_have_the_order_of_the_jobs(processes):
    found = Runner(processes=processes).run("Squares", jobs(3, 1, 2))
    assert found == [[9, 0.1 * 3], [1, 0.1], [4, 0.2]]


def test_finished_jobs_are_kept_until_code_or_inputs_change(storage, calls):
    first = Runner(study=open_study(storage, "squares")).run("Squares", jobs(1, 2))
    again = Runner(study=open_study(storage, "squares")).run("Squares", jobs(2, 1, 3))
    assert again[:2] == first[::-1]
    assert calls == [1, 2, 3]
    Runner(study=open_study(storage, "squares")).run("Squares", jobs(1, code="2"))
    assert calls == [1, 2, 3, 1]


def test_a_database_keeps_results_too(tmp_path, calls):
    for _ in range(2):
        study = open_study(f"sqlite:///{tmp_path}/jobs.db", "squares")
        assert Runner(study=study).run("Squares", jobs(5)) == [[25, 0.5]]
    assert calls == [5]


def test_a_failed_job_runs_again(storage, calls):
    with pytest.raises(ValueError, match="value must be at least 0, not -1"):
        Runner(study=open_study(storage, "squares")).run("Squares", jobs(1, -1, 2))
    assert Runner(study=open_study(storage, "squares")).run("Squares", jobs(1, 2)) == [[1, 0.1], [4, 0.2]]
    assert calls == [1, -1, 2]


def test_jobs_of_another_machine_are_left_to_the_end(storage, calls):
    """The other machine was killed: its job runs here, after the jobs that no machine has started."""
    other = open_study(storage, "squares")
    started, *_ = jobs(1)
    other.ask().set_user_attr("key", started.key)
    assert Runner(study=open_study(storage, "squares")).run("Squares", jobs(1, 2, 3)) == [
        [1, 0.1],
        [4, 0.2],
        [9, 0.1 * 3],
    ]
    assert calls == [2, 3, 1]


def test_results_of_another_machine_are_used_while_jobs_run(storage, calls):
    results = Runner(study=open_study(storage, "squares")).results("Squares", jobs(1, 2))
    assert next(results) == (0, [1, 0.1])
    Runner(study=open_study(storage, "squares")).run("Squares", jobs(2))
    assert next(results) == (1, [4, 0.2])
    assert calls == [1, 2]


def refuse():
    raise CommandError("no figure")


def threads():
    assert (np.ones((2, 2)) @ np.ones((2, 2))).all()  # loads the library
    return [library["num_threads"] for library in threadpool_info()]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_job_has_one_thread(processes):
    before = threads()
    job = Job(name="threads", inputs=("1",), function=threads)
    ((found,),) = [set(one) for one in Runner(processes=processes).run("Jobs", [job])]
    assert found == 1
    assert threads() == before


def test_errors_come_back_from_processes():
    with pytest.raises(CommandError, match="no figure"):
        Runner(processes=2).run("Refusals", [Job(name="", inputs=(), function=refuse)])


def test_progress_is_one_line_per_job_without_a_terminal(capsys):
    Runner(quiet=False).run("Squares", jobs(1, 2))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" (")[0] for line in lines] == ["Squares: 1 of 2, 1", "Squares: 2 of 2, 2"]
    Runner().run("Squares", jobs(1, 2))
    assert capsys.readouterr().err == ""
