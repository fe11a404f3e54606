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
from lowtide_model import Improvement
from lowtide_model.engine import panels
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import MatrixEngine
from lowtide_model.engine.passes import split
from lowtide_torch import native
from lowtide_torch.conversion import Converted, Format, Words, convert, fits
from lowtide_torch.errors import BitsDiffer, NonFinite, UnsafeArithmetic, UnsupportedLayer
from lowtide_torch.exact import PanelSum
from lowtide_torch.windows import Windows
from lowtide_torch.words import panel_states, sequences

__all__ = [
    "Engine",
    "Operand",
    "Panels",
    "Result",
    "add_sums",
    "bias_of",
    "check_arithmetic",
    "convert_columns",
    "improvement",
    "largest",
    "tensor_bias",
]


@attrs.frozen(kw_only=True, eq=False)
class Operand:
    """Operand of a product.

    Parameters
    ----------
    x : Tensor of float32, shape (matrices, M, K) for A and (matrices, K, N) for B
        The operand, in any memory order.
    settings : OperandSettings
        Chunks, rounding, seed and bias. By default, the largest exponent of all matrices gets the top code.
    what : str
        Name in errors, such as ``activations``.
    most : float, optional
        Largest magnitude, if it is known.
    """

    x: Tensor
    settings: OperandSettings
    what: str = "operand"
    most: float | None = None

    def of(self, x: Tensor) -> "Operand":
        """The operand with other elements and the same settings."""
        return attrs.evolve(self, x=x)


@attrs.frozen(kw_only=True)
class Panels:
    """Cut of a product by `lowtide_model.engine.passes.split`, for operands that are sent in order.

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
    """The cut of a product of M × K × N."""
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
        self.config.check_engine()
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

    def multiply(self, a: Operand, b: Operand, *, layer: str = "", measure: bool = False) -> "Result":
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
        where = f"layer {layer!r}" if layer else "the product"
        if operand.x.dtype != torch.float32:
            raise UnsupportedLayer(
                f"{where}: {operand.what} must be of float32, not {str(operand.x.dtype).removeprefix('torch.')}:"
                " call .float(), and leave autocast to other layers"
            )
        most = largest(operand.x) if operand.most is None else operand.most
        if not math.isfinite(most):
            raise NonFinite(f"{where}: {operand.what} must be finite, not {most}")
        bias = operand.settings.bias
        if bias is None:
            bias = bias_of(most, self.config.bfp.exponent)
        return attrs.evolve(operand, settings=attrs.evolve(operand.settings, bias=bias), most=most)

    def count(
        self, result: "Result", a: Operand, b: Operand, layer: str, after: Callable[[Tensor], Tensor] | None = None
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
            self._verify(result, a, b, layer, after)

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
        """The cut of a product.

        Raises
        ------
        UnsupportedLayer
            If K exceeds the sums on chip.
        """
        try:
            return panels_of(self.config, m, k, n, a.chunks, b.chunks)
        except ValueError as error:
            where = f"layer {layer!r}" if layer else "the product"
            raise UnsupportedLayer(f"{where}: {error}: leave the layer to the host, or take a larger engine") from None

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

    def _multiply(self, a: Operand, b: Operand, measure: bool, layer: str = "") -> "Result":
        (matrices, m, k), n = a.x.shape, b.x.shape[-1]
        if b.x.shape[:2] != (matrices, k) or 0 in (matrices, m, k, n):
            raise IllegalValue("a and b", "matrices that multiply", f"of shapes {tuple(a.x.shape)}, {tuple(b.x.shape)}")
        cut = self.panels(m, k, n, a.settings, b.settings, layer)
        forms = self.format_of("a", a.settings, measure), self.format_of("b", b.settings, measure)
        depths = -(-k // cut.length)
        a_words = self.words("a", a.settings, matrices, m, cut.high, cut.length, depths)
        b_words = self.words("b", b.settings, matrices, n, cut.wide, cut.length, depths)
        if not all(map(fits, forms)):
            return self._golden(a, b, measure)
        total, sums = PanelSum(forms[0].scale + forms[1].scale, cut.sums), [0, 0, 0, 0]
        a_columns = a.x.stride(2) != 1 and a.x.stride(1) == 1
        for depth in range(depths):
            ks = slice(depth * cut.length, min((depth + 1) * cut.length, k))
            left = convert_columns(a.x[:, :, ks].mT, forms[0], a_words[depth], keep=a_columns)
            right = convert_columns(b.x[:, ks], forms[1], b_words[depth], keep=b.x.stride(1) != 1 or n == 1)
            if not total.add(left, right):
                return self._golden(a, b, measure)
            sums = add_sums(sums, left, right)
        return Result(values=total.values(), a_improvement=improvement(sums[:2]), b_improvement=improvement(sums[2:]))

    def _golden(self, a: Operand, b: Operand, measure: bool) -> "Result":
        """The product by the golden engine, for exponents or sums that float64 cannot represent."""
        values, improvements = self._replayed(GoldenEngine(self.config), a, b)
        a_improvement, b_improvement = improvements if measure else (None, None)
        return Result(
            values=torch.from_numpy(values).to(a.x.device), a_improvement=a_improvement, b_improvement=b_improvement
        )

    def _replayed(
        self, engine: MatrixEngine, a: Operand, b: Operand
    ) -> tuple[np.ndarray, tuple[Improvement | None, Improvement | None]]:
        bits = self.config.engine.lfsr_bits
        matrices = len(a.x)
        seeds = [panel_states(np.array([one.settings.seed]), s, matrices, bits)[0] for one, s in ((a, "a"), (b, "b"))]
        left, right = (one.x.detach().cpu().numpy() for one in (a, b))
        values, parts = [], []
        for i in range(matrices):
            product = panels.multiply(
                engine,
                np.ascontiguousarray(left[i]),
                np.ascontiguousarray(right[i].T).T,
                attrs.evolve(a.settings, seed=int(seeds[0][i])),
                attrs.evolve(b.settings, seed=int(seeds[1][i])),
            )
            values.append(product.values)
            parts.append((product.a_improvement, product.b_improvement))
        return np.stack(values), tuple(_total([part[side] for part in parts]) for side in range(2))  # type: ignore

    def _verify(
        self, result: "Result", a: Operand, b: Operand, layer: str, after: Callable[[Tensor], Tensor] | None
    ) -> None:
        values, improvements = self._replayed(self.reference, a, b)
        values = values if after is None else after(torch.from_numpy(values)).numpy()
        got = result.values.detach().cpu().numpy().reshape(values.shape)
        where = np.argwhere(got.view(np.uint32) != values.view(np.uint32))
        where = where[~(np.isnan(got) & np.isnan(values))[tuple(where.T)]] if len(where) else where
        name = f"layer {layer!r}" if layer else "the product"
        kinds = f"{a.what} × {b.what}"
        if len(where):
            index = tuple(int(i) for i in where[0])
            raise BitsDiffer(
                f"{name}: product {self.products} ({kinds}) differs from the reference at {index}:"
                f" {got[index]!r} instead of {values[index]!r}; {len(where)} of {got.size} values differ"
            )
        for found, expected in zip((result.a_improvement, result.b_improvement), improvements, strict=True):
            if found is not None and expected is not None and found != expected:
                raise BitsDiffer(f"{name}: product {self.products} ({kinds}) measured {found} instead of {expected}")

    def _self_test(self, device: torch.device) -> None:
        """Compare a few products on a device with the golden engine: short, long, stochastic, and of two matrices."""
        random = np.random.default_rng(1)
        chunks = self.config.bfp.mantissa // max(self.config.bfp.chunk_a, self.config.bfp.chunk_b)
        chunks = min(chunks, 12)
        lanes, most = self.config.bfp.lanes, self.config.bfp.max_k
        longest = self.config.engine.sum_max_k if self.config.engine.sum_rows else 1000
        shapes = ((1, 3, 1, 5), (2, 9, min(3 * lanes + 1, most), 17), (1, 5, min(1000, most + 2 * lanes, longest), 33))
        for matrices, m, k, n in shapes:
            for rounding in ("nearest", "stochastic", "truncate"):
                operands = []
                for shape in ((matrices, m, k), (matrices, k, n)):
                    x = torch.from_numpy(random.standard_normal(shape).astype(np.float32))
                    bias = tensor_bias(x, self.config.bfp.exponent)
                    settings = OperandSettings(chunks=chunks, rounding=rounding, seed=2, bias=bias)
                    operands.append(Operand(x=x.to(device), settings=settings))
                a, b = operands
                expected, _ = self._replayed(GoldenEngine(self.config), a, b)
                found = self._multiply(a, b, False).values.cpu().numpy()
                if not np.array_equal(found.view(np.uint32), expected.view(np.uint32)):
                    raise UnsafeArithmetic(
                        f"PyTorch {torch.__version__} on {device} computes other bits than the golden engine for a"
                        f" product of {m} × {k} × {n}, {rounding}: report this configuration, and train on the cpu"
                    )


@attrs.frozen(kw_only=True, eq=False)
class Result:
    """Product, and relative improvements of its operands where they were measured.

    Parameters
    ----------
    values : Tensor of float32, shape (matrices, M, N)
    a_improvement, b_improvement : Improvement, optional
    """

    values: Tensor
    a_improvement: Improvement | None = None
    b_improvement: Improvement | None = None


def convert_columns(x: Tensor, form: Format, words: Words | None, *, keep: bool) -> Converted:
    """Convert matrices (matrices, K, vectors), whose vectors are columns.

    Parameters
    ----------
    x : Tensor of float32, shape (matrices, K, vectors)
        Operand.
    form, words
        See `convert`.
    keep : bool
        Whether the columns are converted in place, or as rows of the transposed matrices.

    Returns
    -------
    Converted
        The integers have the shape of ``x``.
    """
    if not native.available(x):
        return convert(x, form, words, columns=True) if keep else convert(x.mT, form, words).mT
    if keep and len(x) == 1 and x.stride(2) == 1:
        return native.columns(x.contiguous(), Windows.rows(x.shape[1], x.shape[2]), 0, x.shape[1], form, words)
    vectors = x.mT
    return native.rows(vectors if vectors.stride(2) == 1 else vectors.contiguous(), form, words).mT


def tensor_bias(x: Tensor, exponent: int) -> int:
    """Default bias of a tensor of finite numbers: its largest exponent gets the top code."""
    return bias_of(largest(x), exponent)


def bias_of(most: float, exponent: int) -> int:
    """Default bias of a tensor, from its largest magnitude."""
    return math.frexp(most)[1] - 1 - (2**exponent - 1) if 2.0**-126 <= most < math.inf else 0


def largest(x: Tensor) -> float:
    """Largest magnitude of a tensor; NaN if the tensor has a NaN."""
    if not x.numel():
        return 0.0
    low, high = torch.aminmax(x.detach())
    low, high = float(low), float(high)
    return max(-low, high) if low == low else low


def check_arithmetic(device: torch.device, layer: str = "") -> None:
    """Refuse modes in which PyTorch rounds float32 products.

    Raises
    ------
    UnsafeArithmetic
        If TF32 or bfloat16 may replace float32 in products, or PyTorch flushes subnormal numbers.
    """
    where = f"layer {layer!r}: " if layer else ""
    if torch.get_float32_matmul_precision() != "highest":
        raise UnsafeArithmetic(
            f"{where}float32 products must be exact: call torch.set_float32_matmul_precision('highest')"
        )
    backends: list[tuple[str, Any]] = [("mkldnn.matmul", torch.backends.mkldnn), ("mkldnn.conv", torch.backends.mkldnn)]
    if device.type == "cuda":
        backends = [("cuda.matmul", torch.backends.cuda)]  # no convolution of cuDNN is called
    for name, backend in backends:
        precision = getattr(getattr(backend, name.split(".")[1], None), "fp32_precision", "none")
        if precision not in ("none", "ieee"):
            raise UnsafeArithmetic(
                f"{where}float32 products must be exact: set torch.backends.{name}.fp32_precision = 'ieee',"
                f" not {precision!r}"
            )


def add_sums(sums: list[int], *operands: Converted) -> list[int]:
    """Add the sums of chunks of converted operands, low before high, to running sums."""
    found = []
    for one in operands:
        for part in (one.low_sums, one.high_sums):
            found.append(-1 if part is None else int(part.sum()))
    return [-1 if part < 0 else total + part for total, part in zip(sums, found, strict=True)]


def improvement(sums: list[int]) -> Improvement | None:
    """Relative improvement of an operand from its sums of low and high chunks."""
    return None if sums[0] < 0 else Improvement(low_sum=sums[0], high_sum=sums[1])


def _total(found: list[Improvement | None]) -> Improvement | None:
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return Improvement(low_sum=sum(one.low_sum for one in known), high_sum=sum(one.high_sum for one in known))
