"""Random products of PyTorch, with the golden engine's products."""

import attrs
import numpy as np
import torch

from lowtide.config import Config, ConfigError
from lowtide.engine.seeds import panel_seed
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_torch.engine import Engine
from lowtide_torch.operand import Operand, tensor_bias


def random_config(random):
    """A legal configuration: formats, generators and short buffers, which split products into panels."""
    while True:
        chunk = int(random.choice([1, 2, 3, 4]))
        changes = {
            "bfp.lanes": int(random.choice([4, 8, 16, 32])),
            "bfp.chunk_a": chunk,
            "bfp.chunk_b": int(random.choice([chunk, 2])),
            "bfp.mantissa": int(random.choice([2, 3, 4, 6, 8, 12])),
            "bfp.exponent": int(random.choice([1, 2, 3, 3, 4, 5])),
            "bfp.max_k": int(random.choice([3, 40, 64, 300, 4096])),
            "engine.buffer_depth": int(random.choice([16, 64, 1024])),
            "engine.lfsr_bits": int(random.choice([5, 16, 16, 24])),
            "engine.sum_rows": int(random.choice([0, 0, 8, 24])),
            "engine.sum_columns": int(random.choice([8, 128])),
            "engine.random_bits": int(random.choice([1, 2, 3, 5])),
            "engine.random_plateau": bool(random.integers(2)),
        }
        try:
            config = Config().changed(changes)
            config.check_engine()
        except ConfigError:
            continue
        return config


def random_product(seed):
    """Configuration, operands A and B, and the golden product, from a seed."""
    random = np.random.default_rng(seed)
    config = random_config(random)
    matrices = int(random.integers(1, 4))
    m, k, n = (int(size) for size in np.exp(random.uniform(0, np.log([40, 400, 40]))))
    operands = []
    for shape, most in (((matrices, m, k), 100), ((matrices, k, n), 20)):
        x = random.standard_normal(shape)
        if random.random() < 0.5:
            x *= np.exp2(random.integers(-12, 8, shape))
        x = (x * 2.0 ** random.integers(-100, most)).astype(np.float32)
        if random.random() < 0.2:
            x[random.random(shape) < 0.7] = 0
        x = torch.from_numpy(x)
        layout = random.integers(4)
        if layout == 1:
            x = x.mT.contiguous().mT
        elif layout == 2:
            x = torch.cat([x, x], 2)[:, :, : shape[2]]
        elif layout == 3:
            x = x.transpose(0, 1).contiguous().transpose(0, 1)
        bias = tensor_bias(x, config.bfp.exponent) + int(random.choice([0, 0, 0, -3, 2]))
        chunk = config.bfp.chunk_b if operands else config.bfp.chunk_a
        settings = OperandSettings(
            chunks=int(random.integers(1, config.bfp.mantissa // chunk + 1)),
            rounding=str(random.choice(["truncate", "nearest", "stochastic"])),
            seed=int(random.integers(1, 2**config.engine.lfsr_bits)),
            bias=min(max(bias, -160), 128),
        )
        operands.append(Operand(x=x, settings=settings))
    return config, *operands


def golden(config, a, b):
    """Products of all matrices by the golden engine."""
    engine, bits = GoldenEngine(config), config.engine.lfsr_bits
    left, right = a.x.numpy(), b.x.numpy()
    return [
        multiply(
            engine,
            np.ascontiguousarray(left[i]),
            np.ascontiguousarray(right[i].T).T,
            attrs.evolve(a.settings, seed=panel_seed(a.settings.seed, "a", i, bits)),
            attrs.evolve(b.settings, seed=panel_seed(b.settings.seed, "b", i, bits)),
        )
        for i in range(len(left))
    ]


def difference(seed, device="cpu"):
    """A line that names the difference of a random product from the golden product; None if all bits equal."""
    config, a, b = random_product(seed)
    moved = [Operand(x=one.x.to(device), settings=one.settings) for one in (a, b)]
    engine = Engine(config)
    engine.skip_self_test()
    found = engine.multiply(*moved, measure=True)
    expected = golden(config, a, b)
    values = np.stack([one.values for one in expected])
    got = found.values.cpu().numpy()
    same = (got.view(np.uint32) == values.view(np.uint32)) | (np.isnan(got) & np.isnan(values))
    if not same.all():
        return f"seed {seed}: {np.count_nonzero(~same)} of {same.size} values differ: {config.bfp}, {config.engine}"
    for side in ("a_improvement", "b_improvement"):
        ratio, parts = getattr(found, side), [getattr(one, side) for one in expected]
        if ratio is None or None in parts:
            continue
        sums = sum(part.low_sum for part in parts), sum(part.high_sum for part in parts)
        if (ratio.low_sum, ratio.high_sum) != sums:
            return f"seed {seed}: {side} is {ratio}, not {sums}"
    return None
