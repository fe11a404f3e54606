"""An engine's products in PyTorch, equal to the golden engine's products to the bit."""

import functools
import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, count, instance
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import MatrixEngine
from lowtide_model.engine.passes import split
from lowtide_torch.arithmetic import check_arithmetic
from lowtide_torch.columns import convert_columns
from lowtide_torch.conversion import Format, Words, fits
from lowtide_torch.errors import NonFinite, UnsafeArithmetic, UnsupportedLayer
from lowtide_torch.exact import PanelSum
from lowtide_torch.improvements import add_sums, improvement
from lowtide_torch.operand import Operand, Result, bias_of, largest
from lowtide_torch.verification import check_equal, equal_bits, products_of, self_test_operands
from lowtide_torch.words import panel_states, sequences

__all__ = ["Engine", "Panels"]


@attrs.frozen(kw_only=True)
class Panels:
    """Panels of a product by `lowtide_model.engine.passes.split`, for operands that are sent in order.

    Parameters
    ----------
    length, high, wide : int
        Elements along K, rows of A and columns of B per panel.
    sums : bool
        Whether the engine keeps the sums of all panels along K, and rounds them once. Otherwise the host adds panels.
    """

    length: int
    high: int
    wide: int
    sums: bool


@functools.lru_cache(maxsize=4096)
def panels_of(config: Config, m: int, k: int, n: int, a_chunks: int, b_chunks: int) -> Panels:
    """The panels of a product of M × K × N."""
    parts = split(config, m=m, k=k, n=n, chunks_a=a_chunks, chunks_b=b_chunks)
    first = parts[0]
    return Panels(length=first.k.stop, high=first.rows.stop, wide=first.columns.stop, sums=first.keep)


class Engine:
    """Computes the products of a matrix engine in PyTorch.

    Parameters
    ----------
    config : Config or str
        Configuration of the engine: a preset, or a TOML file.
    verify : int
        Compute every ``verify``-th product on the reference engine too, and compare all bits; 0 for none.
    reference : MatrixEngine, optional
        Reference of ``verify``: the golden engine by default, or compiled Verilog, or a device.

    Raises
    ------
    ConfigError
        If no engine has this configuration.
    """

    def __init__(self, config: Config | str = "default", *, verify: int = 0, reference: MatrixEngine | None = None):
        self.config = Config.load(config) if isinstance(config, str) else instance("config", config, Config)
        self.config.check_bfp_engine()
        self.verify = count("verify", verify)
        self.reference = reference or GoldenEngine(self.config)
        if self.reference.config != self.config:
            raise IllegalValue("reference", "an engine with the configuration of config", self.reference.config)
        self.products = 0
        self._tested: set[str] = set()
        self._source = self.config.engine.source(self.config.bfp.lanes)

    def __getstate__(self) -> dict[str, Any]:
        """State of a copy: its reference is the golden engine, since hardware cannot be copied."""
        return {"config": self.config, "verify": self.verify}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)

    def multiply(self, a: Operand, b: Operand, *, layer: str = "", measure: bool = False) -> Result:
        """Multiply matrices A (M × K) and B (K × N).

        Matrix ``i`` of a batch is the product of `lowtide_model.engine.panels.multiply` with the seeds `panel_seed` of
        panel ``i`` of each operand's seed.

        Parameters
        ----------
        a, b : Operand
            Operands with an equal number of matrices.
        layer : str
            Name of the module in errors.
        measure : bool
            Whether to measure the relative improvements.

        Raises
        ------
        NonFinite
            If an operand has a NaN or an infinity.
        BitsDiffer
            If the reference engine has other bits.
        """
        self.prepare(a.x, layer)
        a, b = self.with_bias(a, layer), self.with_bias(b, layer)
        result = self._multiply(a, b, measure, layer)
        self.count(result, a, b, layer)
        return result

    def with_bias(self, operand: Operand, layer: str = "") -> Operand:
        """An operand of finite numbers with its bias.

        Raises
        ------
        UnsupportedLayer
            If the operand is not of float32.
        NonFinite
            If the operand has a NaN or an infinity.
        """
        where = _name_of(layer)
        if operand.x.dtype != torch.float32:
            raise UnsupportedLayer(
                f"{where}: {operand.what} must be of float32, not {str(operand.x.dtype).removeprefix('torch.')}:"
                " call .float(), and leave autocast to other layers"
            )
        most = largest(operand.x) if operand.most is None else operand.most
        if not math.isfinite(most):
            raise NonFinite(f"{where}: {operand.what} must be finite, not {most}")
        settings = operand.settings
        if settings.bias is None:
            settings = attrs.evolve(settings, bias=bias_of(most, self.config.bfp.exponent))
        elif operand.most is not None:
            return operand
        return attrs.evolve(operand, settings=settings, most=most)

    def count(
        self, result: Result, a: Operand, b: Operand, layer: str, after: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        """Count a product, and verify it if it is the turn of this product.

        Parameters
        ----------
        result : Result
            Product, or what ``after`` computes of it.
        a, b : Operand
            Operands.
        layer : str
            Name of the module in errors.
        after : callable, optional
            Function that the host applies to the product.
        """
        self.products += 1
        if self.verify and self.products % self.verify == 0:
            values, improvements = products_of(self.reference, a, b)
            values = values if after is None else after(torch.from_numpy(values)).numpy()
            check_equal(
                f"{_name_of(layer)}: product {self.products} ({a.what} × {b.what})", result, values, improvements
            )

    @property
    def verifies(self) -> bool:
        """Whether the next product is verified."""
        return self.verify > 0 and (self.products + 1) % self.verify == 0

    def prepare(self, x: Tensor, layer: str = "") -> None:
        """Check the arithmetic of PyTorch; at first use on a device, compare products with the golden engine.

        Raises
        ------
        UnsafeArithmetic
            If PyTorch may round products, or a product of the self-test has wrong bits.
        """
        check_arithmetic(x.device, layer)
        if x.device.type not in self._tested:
            self._tested.add(x.device.type)
            self._self_test(x.device)

    def skip_self_test(self) -> None:
        """Skip the self-test, for a caller that compares all products anyway."""
        self._tested = {"cpu", "cuda"}

    def panels(self, m: int, k: int, n: int, a: OperandSettings, b: OperandSettings, layer: str = "") -> Panels:
        """The panels of a product.

        Raises
        ------
        UnsupportedLayer
            If K exceeds the sums on chip.
        """
        try:
            return panels_of(self.config, m, k, n, a.chunks, b.chunks)
        except ValueError as error:
            raise UnsupportedLayer(
                f"{_name_of(layer)}: {error}: leave the layer to the host, or take a larger engine"
            ) from None

    def format_of(self, side: str, settings: OperandSettings, measure: bool = False) -> Format:
        """Format of operand ``a`` or ``b``."""
        bfp = self.config.bfp
        chunk = bfp.chunk_a if side == "a" else bfp.chunk_b
        assert settings.bias is not None
        stochastic = settings.rounding == "stochastic"
        return Format(
            lanes=bfp.lanes,
            mantissa=settings.chunks * chunk,
            exponent=bfp.exponent,
            bias=settings.bias,
            rounding=settings.rounding,
            random_bits=self.config.engine.random_bits if stochastic else 0,
            chunk=chunk if measure and bfp.mantissa >= 2 * chunk else 0,
        )

    def words(
        self, side: str, settings: OperandSettings, matrices: int, vectors: int, high: int, length: int, depths: int
    ) -> list[Words | None]:
        """Random words of an operand for each panel along K; None without stochastic rounding."""
        if settings.rounding != "stochastic":
            return [None] * depths
        bits, down = self.config.engine.lfsr_bits, -(-vectors // high)
        states = panel_states(np.array([settings.seed]), side, matrices, bits)[0]
        states = panel_states(states, side, depths * down, bits).reshape(matrices, depths, down)
        steps = min(high, vectors) + -(-length // self.config.bfp.lanes) + self.config.bfp.lanes // 2
        table, pairs, starts = sequences(self._source, states, steps)
        parts = [np.ascontiguousarray(starts[:, depth]) for depth in range(depths)]
        return [Words(table=table, pairs=pairs, starts=part, high=high) for part in parts]

    def _multiply(self, a: Operand, b: Operand, measure: bool, layer: str = "") -> Result:
        (matrices, m, k), n = a.x.shape, b.x.shape[-1]
        if b.x.shape[:2] != (matrices, k) or 0 in (matrices, m, k, n):
            raise IllegalValue("a and b", "matrices that multiply", f"of shapes {tuple(a.x.shape)}, {tuple(b.x.shape)}")
        panels = self.panels(m, k, n, a.settings, b.settings, layer)
        forms = self.format_of("a", a.settings, measure), self.format_of("b", b.settings, measure)
        depths = -(-k // panels.length)
        a_words = self.words("a", a.settings, matrices, m, panels.high, panels.length, depths)
        b_words = self.words("b", b.settings, matrices, n, panels.wide, panels.length, depths)
        if not all(map(fits, forms)):
            return self._golden(a, b, measure)
        total, sums = PanelSum(forms[0].scale + forms[1].scale, panels.sums), [0, 0, 0, 0]
        a_columns = a.x.stride(2) != 1 and a.x.stride(1) == 1
        for depth in range(depths):
            ks = slice(depth * panels.length, min((depth + 1) * panels.length, k))
            left = convert_columns(a.x[:, :, ks].mT, forms[0], a_words[depth], keep=a_columns)
            right = convert_columns(b.x[:, ks], forms[1], b_words[depth], keep=b.x.stride(1) != 1 or n == 1)
            if not total.add(left, right):
                return self._golden(a, b, measure)
            sums = add_sums(sums, left, right)
        return Result(values=total.values(), a_improvement=improvement(sums[:2]), b_improvement=improvement(sums[2:]))

    def _golden(self, a: Operand, b: Operand, measure: bool) -> Result:
        """The product by the golden engine, for exponents or sums that float64 cannot represent."""
        values, improvements = products_of(GoldenEngine(self.config), a, b)
        a_improvement, b_improvement = improvements if measure else (None, None)
        return Result(
            values=torch.from_numpy(values).to(a.x.device), a_improvement=a_improvement, b_improvement=b_improvement
        )

    def _self_test(self, device: torch.device) -> None:
        """Compare a few products on a device with the golden engine."""
        for a, b in self_test_operands(self.config, device):
            expected, _ = products_of(GoldenEngine(self.config), a, b)
            found = self._multiply(a, b, False).values.cpu().numpy()
            if not equal_bits(found, expected).all():
                _, m, k = a.x.shape
                raise UnsafeArithmetic(
                    f"PyTorch {torch.__version__} on {device} computes other bits than the golden engine for a product"
                    f" of {m} × {k} × {b.x.shape[-1]}, {a.settings.rounding}: report this configuration, and train on"
                    " the cpu"
                )


def _name_of(layer: str) -> str:
    """Name of a product in errors."""
    return f"layer {layer!r}" if layer else "the product"
