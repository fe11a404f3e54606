"""Linear feedback shift register: a sequence of bits, each the XOR of earlier bits."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, xor
from typing import Any

import attrs

from lowtide.units.random.taps import polynomial

__all__ = ["Lfsr"]


@attrs.frozen
class Lfsr:
    """Fibonacci LFSR, whose bits may be integers or Amaranth values.

    The state is ``length`` consecutive bits of a sequence, the oldest first. A step drops the oldest bit and appends
    ``a[n + length] = constant ^ XOR of a[n + offset]``.

    In the Fibonacci form, the state is a window on the sequence. So a word some steps ahead is a later window, and
    lanes at neighboring phases share all bits but one. The feedback is one XOR, a single LUT, whereas the Galois form
    has an XOR per tap.

    Parameters
    ----------
    length : int
        Bits of the state.
    offsets : tuple of int
        Bits of the state that the feedback XORs.
    constant : int
        Constant that the feedback XORs.
    zero : bool
        Whether the sequence includes the state of all zeros, after 1 followed by zeros (a de Bruijn sequence). The
        feedback is inverted if all bits but the oldest are zero.
    """

    length: int
    offsets: tuple[int, ...]
    constant: int = 0
    zero: bool = False

    @classmethod
    def of(cls, taps: Sequence[int], *, alternating: bool = False, zero: bool = False) -> "Lfsr":
        """Return the register of a polynomial, or of its sequence with every second bit inverted (``alternating``).

        If ``p(x)`` generates ``a[n]``, then ``(x + 1) p(x)`` and a constant 1 generate ``c[n] = a[n] ^ (n & 1)``, as
        ``n & 1`` increments modulo 2 each step. So inverting every second word costs one bit of state and no gate.
        """
        value = polynomial(taps)
        if alternating:
            value ^= value << 1
        length = value.bit_length() - 1
        return cls(length, tuple(n for n in range(length) if value >> n & 1), int(alternating), zero)

    def feedback(self, state: Sequence[Any]) -> Any:
        """Return the bit that follows the state."""
        bit = reduce(xor, [state[offset] for offset in self.offsets], self.constant)
        if self.zero:
            bit ^= reduce(and_, [1 ^ later for later in state[1:]])
        return bit

    def ahead(
        self, state: Sequence[Any], count: int, made: Callable[[Any, int], Any] = lambda bit, place: bit
    ) -> list[Any]:
        """Return the first ``count`` bits of the sequence, from the state on.

        Doubling its exponents squares a polynomial over GF(2). So a bit far ahead is the XOR of as few bits as the next
        bit, and the chain of XORs is short. ``made(bit, place)`` returns the value to use for each bit after the state.
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
                # The squared polynomial XORs the constant an even number of times, so that it cancels.
                bits.append(made(reduce(xor, earlier), len(bits)))
        return bits[:count]
