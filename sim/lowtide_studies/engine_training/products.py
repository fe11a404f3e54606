"""The three products of each layer: on a matrix engine, or in the format of a baseline."""

import attrs
import numpy as np

from lowtide.config import Config, ConfigError
from lowtide.engine.seeds import operand_seed
from lowtide_model import Improvement, Stochastic, default_bias, improvement_of
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import MatrixEngine, multiply
from lowtide_model.engine.product import Product
from lowtide_studies.engine_training.schedule import HIGH, OPERANDS, PRODUCTS, Last, Moment, Schedule, Use
from lowtide_studies.networks.arithmetic import Arithmetic, Blocks, Integers, Plain
from lowtide_studies.networks.products import GradientRounding, Products

__all__ = ["BASELINES", "BaselineProducts", "EngineProducts", "Work", "check_chunks"]


@attrs.define
class Work:
    """Cost of the products of a step, each of ``M * N * ceil(K / g)`` pairs of groups.

    Beats are pairs of chunks: pairs of groups times the chunks of A times the chunks of B. An engine without a clock
    has no cycles: None.
    """

    pairs: int = 0
    beats: int = 0
    cycles: int | None = 0


class EngineProducts:
    """Products of a network in training. Weights stay in FP32; each product converts its operands.

    Weights and activations are rounded to nearest, ties away from zero. Gradients are rounded stochastically, with a
    seed that follows from run, step, layer and product. Transposed operands are views, which the engine reads as
    transposed. The host sets biases by the rule of `lowtide_model.quantize`.

    Attributes
    ----------
    last : dict of Use to Last
        State from which the schedule selects the precision of the next step.
    work : Work
        Cost of the step so far.

    Raises
    ------
    ConfigError
        If magnitudes of the engine have less than two chunks.
    """

    def __init__(self, engine: MatrixEngine, schedule: Schedule, *, layers: int, steps: int, seed: int):
        check_chunks(engine.config)
        self.engine, self.schedule = engine, schedule
        self.layers, self.steps, self.seed = layers, steps, seed
        self.last: dict[Use, Last] = {}
        self._step, self._now, self._recording = 0, dict[Use, Last](), False
        self.work = Work()

    def begin(self, step: int) -> None:
        """Start a step, whose products are recorded."""
        self._step, self._now, self._recording, self.work = step, {}, True, Work()

    def end(self) -> None:
        """End the step: further products are not recorded, and have the precision of the next step."""
        self.last, self._step, self._recording = self._now, self._step + 1, False

    def layer(self, number: int) -> "_OfLayer":
        return _OfLayer(self, number)

    def multiply(self, layer: int, product: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        used = [Use(layer, product, kind) for kind in OPERANDS[product]]
        a_settings, b_settings = (self._operand(use, x) for use, x in zip(used, (a, b), strict=True))
        found = multiply(self.engine, a, b, a_settings, b_settings)
        if self._recording:
            self._record(used[0], a, 1, a_settings, found.a_improvement)
            self._record(used[1], b, 0, b_settings, found.b_improvement)
            self._count(a, b, a_settings, b_settings, found)
        return found.values

    def _operand(self, use: Use, x: np.ndarray) -> OperandSettings:
        moment = Moment(step=self._step, steps=self.steps, layers=self.layers)
        return OperandSettings(
            chunks=self.schedule.chunks(use, moment, self.last.get(use)),
            rounding="stochastic" if use.kind == "gradients" else "nearest",
            seed=self._seed(use) if use.kind == "gradients" else 1,
            bias=default_bias(x, exponent=self.engine.config.bfp.exponent),
        )

    def _seed(self, use: Use) -> int:
        """Seed of the engine's generator for a use, reduced from a seed of 64 bits."""
        entropy = (self.seed, self._step, use.layer, PRODUCTS.index(use.product))
        word = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])
        side = "a" if use.kind == OPERANDS[use.product][0] else "b"
        return operand_seed(word, side, self.engine.config.engine.lfsr_bits)

    def _record(self, use: Use, x: np.ndarray, axis: int, operand: OperandSettings, ratio: Improvement | None) -> None:
        if not self.schedule.measures:
            ratio = None
        elif ratio is None:
            ratio = self._measured(x, axis, operand)
        before = self.last.get(use)
        held = before.held + 1 if before and before.chunks == operand.chunks else 1
        self._now[use] = Last(chunks=operand.chunks, ratio=ratio, held=held)

    def _measured(self, x: np.ndarray, axis: int, operand: OperandSettings) -> Improvement:
        """Improvement ratio of an operand, for engines that do not measure it."""
        bfp = self.engine.config.bfp
        chunk = bfp.chunk_a if axis else bfp.chunk_b
        return improvement_of(x, chunk=chunk, exponent=bfp.exponent, group=bfp.lanes, axis=axis, bias=operand.bias)

    def _count(
        self, a: np.ndarray, b: np.ndarray, a_settings: OperandSettings, b_settings: OperandSettings, found: Product
    ) -> None:
        pairs = a.shape[0] * b.shape[1] * -(-a.shape[1] // self.engine.config.bfp.lanes)
        self.work.pairs += pairs
        self.work.beats += pairs * a_settings.chunks * b_settings.chunks
        self.work.cycles = None if found.cycles is None or self.work.cycles is None else self.work.cycles + found.cycles


def check_chunks(config: Config) -> None:
    """Raise `ConfigError` for magnitudes of less than two chunks, which have one precision only."""
    bfp = config.bfp
    least = HIGH * max(bfp.chunk_a, bfp.chunk_b)
    if bfp.mantissa < least:
        raise ConfigError(f"bfp.mantissa must be {least} or more, two chunks, not {bfp.mantissa}")


@attrs.frozen
class _OfLayer:
    """The products of one layer."""

    products: EngineProducts
    number: int

    def forward(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.products.multiply(self.number, "forward", x, weights)

    def to_inputs(self, gradient: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.products.multiply(self.number, "to_inputs", gradient, weights.T)

    def to_weights(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return self.products.multiply(self.number, "to_weights", x.T, gradient)


BASELINES: dict[str, Arithmetic] = {
    "fp32": Plain(),
    "int8": Integers(bits=7),
    "msfp12": Blocks(mantissa=3, gradient_mantissa=3, exponent=5, group=16),
}
"""FP32; 8-bit integers with one scale per tensor; 3-bit BFP with groups of 16 and 5-bit exponents, as MSFP-12."""


class BaselineProducts:
    """Products of a network in training, in an arithmetic of the golden model, without a record.

    Weights and activations are rounded to nearest, ties to even. Gradients are rounded with the random words of an
    engine with this configuration, whose seed follows from the step.
    """

    def __init__(self, arithmetic: Arithmetic, config: Config):
        self.arithmetic, self._source = arithmetic, config.engine.source(config.bfp.lanes)
        self.last: dict[Use, Last] = {}
        self.work = Work(cycles=None)
        self.begin(0)

    def begin(self, step: int) -> None:
        source = attrs.evolve(self._source, seed=step % (2**self._source.bits - 1) + 1)
        self._products = Products(self.arithmetic, GradientRounding(Stochastic(mode="half_step", source=source)))

    def end(self) -> None:
        pass

    def layer(self, number: int) -> Products:
        return self._products
