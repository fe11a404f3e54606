"""Bench at full rate: offers a beat and accepts a result in every cycle.

It runs once per cycle and computes nothing: it reads the words of both streams from a file, and writes the results to
another file. `lowtide_sim.simulated_array` writes the first file and reads the second.
"""

from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from lowtide_sim.bench.environment import parameters, sidecar

# Cycles between reports of progress.
REPORT = 4096


@cocotb.test()
async def products(dut):
    """Stream every product of the file, each after the results of the previous product."""
    settings = parameters()
    driver = Driver(dut, settings.get("progress"))
    await driver.reset()
    outcome = {}
    with np.load(settings["products"]) as file:
        for n in range(settings["count"]):
            words_a, words_b = (_integers(file[f"words_{side}_{n}"]) for side in "ab")
            orders = (file[f"order_{side}_{n}"].tolist() for side in "ab")
            beats = [(words_a[i], words_b[j]) for i, j in zip(*orders, strict=True)]
            results, cycles = await driver.multiply(beats, int(file[f"beats_per_tile_{n}"]))
            outcome |= {f"results_{n}": results, f"cycles_{n}": np.array(cycles)}
    assert not dut.misaligned.value, "tlast was set on one operand's stream only"
    np.savez(settings["results"], **outcome)


class Driver:
    """Driver of all streams of the array.

    Parameters
    ----------
    dut : handle
        The array.
    progress : str, optional
        File for the number of accepted beats, written periodically.
    """

    def __init__(self, dut, progress=None):
        self.dut = dut
        self.edge = RisingEdge(dut.clk)
        self.rows = sidecar()["configuration"]["array"]["rows"]
        self.latency = sidecar()["latency"]
        self.progress = Path(progress) if progress else None
        self.taken = 0

    async def reset(self):
        """Start the clock, and apply reset for a few cycles."""
        Clock(self.dut.clk, 10, unit="ns").start(start_high=False)
        self.dut.rst.value = 1
        self.dut.m_axis_c_tready.value = 1
        for side in ("a", "b"):
            for signal in ("tvalid", "tlast", "tdata"):
                getattr(self.dut, f"s_axis_{side}_{signal}").value = 0
        for _ in range(4):
            await self.edge
        self.dut.rst.value = 0
        await self.edge

    async def multiply(self, beats, per_tile):
        """Stream a product; return its rows of results as bytes, and the cycles from the first beat to the last row."""
        dut, edge = self.dut, self.edge
        a_data, b_data = dut.s_axis_a_tdata, dut.s_axis_b_tdata
        a_ready, b_ready, c_valid = dut.s_axis_a_tready, dut.s_axis_b_tready, dut.m_axis_c_tvalid
        expected = len(beats) // per_tile * self.rows
        limit = 2 * (len(beats) + 2 * expected + self.latency) + 100
        rows, beat, cycle, first = [], 0, 0, 0
        self._offer(1)
        a_data.value, b_data.value = beats[0]
        self._last(per_tile == 1)
        while len(rows) < expected:
            await edge  # signals now have the values that registers sample at this edge
            cycle += 1
            assert cycle < limit, f"{expected - len(rows)} of {expected} rows of results are missing"
            if beat < len(beats):
                taken = a_ready.value
                assert b_ready.value == taken, "a beat was accepted on one operand's stream only"
                if taken:
                    first = first or cycle
                    beat += 1
                    if beat < len(beats):
                        a_data.value, b_data.value = beats[beat]
                        if per_tile > 1 and beat % per_tile in (0, per_tile - 1):
                            self._last(beat % per_tile)
                    else:
                        self._offer(0)
            if c_valid.value:
                rows.append(dut.m_axis_c_tdata.value)
                assert bool(dut.m_axis_c_tlast.value) == (len(rows) % self.rows == 0), "tlast is on the wrong row"
            if self.progress and cycle % REPORT == 0:
                self.progress.write_text(str(self.taken + beat), encoding="utf-8")
        self.taken += beat
        return self._bytes(rows), cycle - first + 1

    def _offer(self, valid):
        self.dut.s_axis_a_tvalid.value = self.dut.s_axis_b_tvalid.value = valid

    def _last(self, last):
        self.dut.s_axis_a_tlast.value = self.dut.s_axis_b_tlast.value = int(bool(last))

    def _bytes(self, rows):
        size = len(self.dut.m_axis_c_tdata) // 8
        packed = b"".join(row.to_unsigned().to_bytes(size, "little") for row in rows)
        return np.frombuffer(packed, np.uint8).reshape(len(rows), size)


def _integers(words):
    """Rows of bytes, the lowest first, as integers."""
    return [int.from_bytes(row.tobytes(), "little") for row in words]
