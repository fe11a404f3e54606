"""Words for floating-point units: of every kind, with many corner cases."""

from amaranth.sim import Simulator


def words(rng, product, form, count):
    """Numbers to add to products of their format: near the products, opposite, ties, ends, and random."""
    chosen = []
    for p in product[:count]:
        kind = rng.random()
        if kind < 0.1:
            chosen.append(rng.getrandbits(form.width))
            continue
        if kind < 0.2:
            chosen.append(rng.choice((0, 1, 2**form.fraction - 1, 2**form.fraction, 2 ** (form.width - 1) - 1)))
            continue
        far = rng.choice((0, 0, 1, -1, 2, -2, 3, -3, form.fraction, -form.fraction, rng.randint(-40, 40)))
        exponent = min(max((p >> form.fraction & (2**form.exponent - 1)) + far, 0), 2**form.exponent - 1)
        same = p & (2**form.fraction - 1)
        fraction = rng.choice((same, same ^ 1, rng.getrandbits(form.fraction), 0, 1, 2**form.fraction - 1))
        chosen.append(rng.getrandbits(1) << form.width - 1 | exponent << form.fraction | fraction)
    return chosen


def answers(dut, a, b, c):
    """Results of a unit for one word per cycle."""
    lead, received = dut.latency - dut.sum_latency, []

    async def bench(ctx):
        for cycle in range(len(a) + dut.latency):
            if cycle < len(a):
                ctx.set(dut.a.as_value(), a[cycle])
                ctx.set(dut.b.as_value(), b[cycle])
            if 0 <= cycle - lead < len(c):
                ctx.set(dut.c.as_value(), c[cycle - lead])
            if cycle >= dut.latency:
                received.append(ctx.get(dut.o.as_value()))
            await ctx.tick()

    simulation = Simulator(dut)
    simulation.add_clock(1e-6)
    simulation.add_testbench(bench)
    simulation.run()
    return received
