"""Linear feedback shift register: a sequence of bits, each the XOR of earlier ones."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, xor
from typing import Any

import attrs

from lowtide.units.random.taps import polynomial

__all__ = ["Lfsr"]


@attrs.frozen
class Lfsr:
    """Fibonacci's form of a linear feedback shift register, on bits that may be integers or hardware.

    The state is ``length`` consecutive bits of a sequence, the oldest first. A step drops that one and appends
    ``a[n + length] = constant ^ XOR of a[n + offset]``.

    Fibonacci's form, since its state is a window on the sequence: a word some steps ahead is a window further on, and
    lanes that are served at neighboring phases share all bits but one. Feedback is one XOR, a single LUT, where
    Galois' form has one per tap.

    Parameters
    ----------
    length : int
        Bits of the state.
    offsets : tuple of int
        Bits of the state that are XORed.
    constant : int
        XORed too.
    zero : bool
        Whether the state of all zeros is inserted, after 1 followed by zeros: the feedback is inverted where all bits
        but the oldest are zero. A de Bruijn sequence.
    """

    length: int
    offsets: tuple[int, ...]
    constant: int = 0
    zero: bool = False

    @classmethod
    def of(cls, taps: Sequence[int], *, alternating: bool = False, zero: bool = False) -> "Lfsr":
        """The register of a polynomial; alternating, of the sequence whose bits are inverted by turns.

        If ``p(x)`` generates ``a[n]``, then ``(x + 1) p(x)`` and a constant 1 generate ``c[n] = a[n] ^ (n & 1)``, as
        ``n & 1`` grows by one each step. So the toggle that inverts every second word is one more bit of state, and no
        gate at all.
        """
        value = polynomial(taps)
        if alternating:
            value ^= value << 1
        length = value.bit_length() - 1
        return cls(length, tuple(n for n in range(length) if value >> n & 1), int(alternating), zero)

    def feedback(self, state: Sequence[Any]) -> Any:
        """The bit after those of the state."""
        bit = reduce(xor, [state[offset] for offset in self.offsets], self.constant)
        if self.zero:
            bit ^= reduce(and_, [1 ^ later for later in state[1:]])
        return bit

    def ahead(
        self, state: Sequence[Any], count: int, made: Callable[[Any, int], Any] = lambda bit, place: bit
    ) -> list[Any]:
        """The first ``count`` bits from the state on.

        A polynomial over GF(2) is squared by doubling its exponents, so that a bit far ahead is the XOR of as few
        bits as the next, and few of them stand in a row. ``made`` is called with each that is not in the state and its
        place, and gives what it is used as.
        """
        bits = list(state)
        while len(bits) < count:
            leap = 1
            while not self.zero and 2 * leap * self.length <= len(bits):
                leap *= 2
            if leap == 1:
                bits.append(made(self.feedback(bits[-self.length :]), len(bits)))
            else:
                earlier = [bits[len(bits) - leap * (self.length - offset)] for offset in self.offsets]
                # The constant of the squared polynomial is that of an even number of ones.
                bits.append(made(reduce(xor, earlier), len(bits)))
        return bits[:count]
