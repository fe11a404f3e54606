"""Runs: the same bits every time, on every engine, and however often they are stopped."""

import subprocess
import sys
import time

import attrs
import numpy as np
import pytest

from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.engine.params import EngineParams
from lowtide.formats import Bfp, IllegalValue
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_sim.engine.verilated import VerilatedEngine
from lowtide_sim.simulator import SimulatorMissing
from lowtide_studies.engine_training.log import Log
from lowtide_studies.engine_training.products import EngineProducts
from lowtide_studies.engine_training.run import PRECISIONS, Run
from lowtide_studies.engine_training.trainer import Diverged, train, weights_hash
from lowtide_studies.networks.digits import Digits, Images
from lowtide_studies.networks.network import network
from lowtide_studies.networks.training import descend

SHORT = Run(steps=12, evaluate=6)


@pytest.fixture(scope="module")
def uninterrupted():
    return train(SHORT)


class Stopped(Exception):
    """As a killed process: nothing after that point is done."""


def stopping_after(steps):
    def progress(done, _):
        if done == steps:
            raise Stopped

    return progress


def test_a_step_is_the_gradient_of_its_images_by_the_engine(uninterrupted):
    """The whole training once more, written out."""
    engine, net, images = GoldenEngine(Config()), network("perceptron", 0), Digits.load().training
    products = EngineProducts(engine, SHORT.make_schedule(), layers=2, steps=12, seed=0)
    velocities = [(np.zeros_like(layer.weights), np.zeros_like(layer.bias)) for layer in net.layers]
    order = np.random.default_rng([0, 1, 0]).permutation(len(images))
    for step in range(12):
        which = order[32 * step : 32 * step + 32]
        products.begin(step)
        loss, gradients = net.gradients(images.pixels[which], images.labels[which], products)
        products.end()
        rate = 0.2 * (1 + np.cos(np.pi * step / 12)) / 2
        descend(net, velocities, gradients, np.float32(rate), np.float32(0.9))
        assert uninterrupted.steps[step].loss == loss
    assert uninterrupted.sha256 == weights_hash(net)


@pytest.mark.parametrize("schedule", PRECISIONS)
def test_a_run_is_repeatable_to_the_bit(schedule):
    run = attrs.evolve(SHORT, schedule=schedule, steps=3)
    assert train(run) == train(run)


def test_seeds_and_schedules_differ(uninterrupted):
    others = [train(attrs.evolve(SHORT, **change)) for change in ({"seed": 1}, {"schedule": "fixed-2"})]
    assert len({run.sha256 for run in (uninterrupted, *others)}) == 3


def test_a_log_changes_nothing(uninterrupted, tmp_path):
    path = tmp_path / "run.log"
    assert train(SHORT, log=Log(path, SHORT.identity())) == uninterrupted
    assert train(SHORT, log=Log(path, SHORT.identity())) == uninterrupted  # nothing is left to do


@pytest.mark.parametrize("checkpoint", [1, 5])
def test_a_run_that_is_stopped_again_and_again_ends_alike(uninterrupted, tmp_path, checkpoint):
    path = tmp_path / "run.log"
    for steps in (1, 2, 7, 11):
        with pytest.raises(Stopped):
            train(SHORT, log=Log(path, SHORT.identity()), checkpoint=checkpoint, progress=stopping_after(steps))
    assert train(SHORT, log=Log(path, SHORT.identity()), checkpoint=checkpoint) == uninterrupted


def test_a_torn_log_goes_on_from_its_last_checkpoint(uninterrupted, tmp_path):
    path = tmp_path / "run.log"
    train(SHORT, log=Log(path, SHORT.identity()), checkpoint=1)
    whole = path.read_bytes()
    for length in np.random.default_rng(1).integers(0, len(whole), 6):
        path.write_bytes(whole[:length])
        log, computed = Log(path, SHORT.identity()), []
        checkpoints = sum("state" in entry for entry in log.entries)
        again = train(SHORT, log=log, checkpoint=1, progress=lambda done, _, seen=computed: seen.append(done))
        assert again == uninterrupted
        assert computed[0] == checkpoints
        assert path.read_bytes() == whole


def test_a_killed_process_loses_nothing(uninterrupted, tmp_path):
    path = tmp_path / "run.log"
    script = (
        "import sys; from pathlib import Path\n"
        "from lowtide_studies.engine_training.log import Log; from lowtide_studies.engine_training.run import Run\n"
        "from lowtide_studies.engine_training.trainer import train\n"
        "run = Run(steps=12, evaluate=6)\n"
        "train(run, log=Log(Path(sys.argv[1]), run.identity()), checkpoint=1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)])
    while process.poll() is None and (not path.exists() or path.stat().st_size < 10**5):
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert train(SHORT, log=Log(path, SHORT.identity()), checkpoint=1) == uninterrupted


def test_a_log_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.log"
    Log(path, SHORT.identity())
    with pytest.raises(IllegalValue, match=r"schedule.alpha must be None, as in .*, or the log another file, not 0.5"):
        Log(path, attrs.evolve(SHORT, options={"alpha": 0.5}).identity())
    with pytest.raises(IllegalValue, match=r"bfp.exponent must be 3, as in .*, or the log another file, not 4"):
        Log(path, attrs.evolve(SHORT, config=Config().changed({"bfp.exponent": 4})).identity())


def test_the_order_in_which_numbers_are_sent_has_no_part():
    other = attrs.evolve(SHORT, config=Config().changed({"engine.input_width": 8, "engine.output_width": 2}))
    assert other.identity() == SHORT.identity()


def test_validation_leaves_held_out_images_alone(monkeypatch):
    digits = Digits.load()
    monkeypatch.setattr(Digits, "load", lambda: Digits(digits.training, digits.held_out.first(0)))
    assert 0 < train(attrs.evolve(SHORT, steps=2, validation=True)).accuracy < 1


def test_a_loss_that_is_no_number_ends_the_run(monkeypatch):
    images = Images(np.full((4, 64), np.nan, np.float32), np.zeros(4, np.int64))
    monkeypatch.setattr(Digits, "load", lambda: Digits(images, images))
    with pytest.raises(Diverged, match=r"the loss of step 0 is nan: a smaller rate than 0.2 may help"):
        train(Run(schedule="fp32"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"network": "big"}, "network must be one of perceptron, wide-perceptron, convolution, not 'big'"),
        ({"steps": 0}, "steps must be from 1 to 1000000, not 0"),
        ({"rate": 0.0}, "rate must be above 0 and below 100, not 0.0"),
        ({"options": {"gamma": 1}}, "a key of schedule must be one of alpha, beta, not 'gamma'"),
        ({"options": {"alpha": 4}}, "schedule.alpha must be from 0 to 3, not 4"),
        ({"options": {"alpha": "x"}}, "schedule.alpha must be a number, not 'x'"),
        (
            {"schedule": "fixed-2", "options": {"alpha": 1}},
            "schedule.alpha must be left out, as fixed-2 has no parameters, not 1",
        ),
        (
            {"schedule": "fp32", "options": {"alpha": 1}},
            "schedule.alpha must be left out, as fp32 has no parameters, not 1",
        ),
    ],
)
def test_illegal_values_are_refused_in_one_line(arguments, message):
    with pytest.raises(IllegalValue) as error:
        Run(**arguments)
    assert str(error.value) == message


@pytest.mark.parametrize(("name", "schedule"), [("perceptron", "adaptive"), ("convolution", "low-then-high")])
def test_the_emitted_engine_trains_to_the_same_bits(small, built_engine, monkeypatch, name, schedule):
    digits = Digits.load()
    monkeypatch.setattr(Digits, "load", lambda: Digits(digits.training.first(6), digits.held_out.first(4)))
    run = Run(network=name, schedule=schedule, steps=2, batch=3, config=small)
    golden, emitted = train(run), train(run, built_engine)
    assert emitted.sha256 == golden.sha256
    assert attrs.evolve(emitted, steps=[attrs.evolve(step, cycles=None) for step in emitted.steps]) == golden
    assert all(step.cycles for step in emitted.steps)


def test_sums_on_chip_train_to_the_same_bits(sum_engine, monkeypatch):
    digits, summed, multiply_sum = Digits.load(), [], sum_engine.multiply_sum

    def spy(passes, **settings):
        summed.append(len(passes))
        return multiply_sum(passes, **settings)

    monkeypatch.setattr(Digits, "load", lambda: Digits(digits.training.first(6), digits.held_out.first(4)))
    monkeypatch.setattr(sum_engine, "multiply_sum", spy)
    run = Run(network="perceptron", schedule="adaptive", steps=2, batch=3, config=sum_engine.config)
    golden, emitted = train(run), train(run, sum_engine)
    assert max(summed) > 1
    assert emitted.sha256 == golden.sha256


@pytest.mark.slow
def test_two_hundred_steps_with_every_product_on_the_emitted_engine(libraries):
    """The perceptron, in full batches, on an array of 4 × 4 that streams four numbers per cycle."""
    config = Config(array=ArrayParams(rows=4, columns=4), bfp=Bfp(max_k=512), engine=EngineParams(buffer_depth=256))
    try:
        engine = VerilatedEngine(config, libraries)
    except SimulatorMissing as missing:
        pytest.skip(str(missing))
    run = Run(schedule="adaptive", steps=200, evaluate=200, config=config)
    started = time.perf_counter()
    emitted, taken = train(run, engine), time.perf_counter() - started
    cycles = sum(step.cycles or 0 for step in emitted.steps)
    print(f"{200 / taken:.1f} steps a second, {cycles:,} cycles in {taken:.0f} s")
    golden = train(run)
    assert emitted.sha256 == golden.sha256
    assert attrs.evolve(emitted, steps=[attrs.evolve(step, cycles=None) for step in emitted.steps]) == golden
