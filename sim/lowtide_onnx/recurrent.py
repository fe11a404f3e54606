"""LSTM and GRU: one product of all inputs, and products of the hidden state per step of time."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from lowtide_onnx.operand import Arrays, Multiply, Operand, Sizes, check_shape

__all__ = ["Gru", "Lstm"]

Step = Callable[[np.ndarray, list[np.ndarray]], list[np.ndarray]]
DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
GATES = {"Lstm": 4, "Gru": 3}


def _sigmoid(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-x))


@attrs.frozen(kw_only=True)
class _Recurrent:
    """Shared parts of both kinds.

    Parameters
    ----------
    direction : str
        ``forward``, ``reverse`` or ``bidirectional``.
    hidden : int
        Elements of a hidden state.
    """

    direction: str
    hidden: int
    kinds = ("inputs", "hidden")

    @property
    def sites(self) -> tuple[str, ...]:
        """The products of each direction."""
        directions = DIRECTIONS[self.direction]
        return tuple(
            f"{kind}, reverse" if reverse and len(directions) == 2 else kind
            for reverse in directions
            for kind in self.kinds
        )

    def sizes(self, shapes: Sequence[Sequence[int | None] | None]) -> Sizes:
        x, weights = shapes[:2]
        rows = None if not x or None in x[:2] else (x[0] or 0) * (x[1] or 0)
        return rows, (weights[2] if weights else None), (weights[1] if weights else None)

    def compute(self, inputs: Arrays, multiply: Multiply) -> list[np.ndarray]:
        """Y of shape (time, directions, N, hidden), and the last states of shape (directions, N, hidden)."""
        x, weights = inputs[:2]
        assert x is not None
        assert weights is not None
        self._check(inputs)
        time, images, length = x.shape
        outputs, lasts = [], []
        for number, reverse in enumerate(DIRECTIONS[self.direction]):
            site = number * len(self.kinds)
            operand = Operand.of(x.reshape(1, time * images, length), "input 0")
            gates = multiply(site, operand, Operand.of(weights[number].T[np.newaxis], "input 1"))
            gates = gates.reshape(time, images, -1)
            states = [
                np.zeros((images, self.hidden), np.float32) if state is None else state[number]
                for state in self._states(inputs)
            ]
            step = self._step(inputs, number, site + 1, multiply)
            found = []
            for one in gates[::-1] if reverse else gates:
                states = step(one, states)
                found.append(states[0])
            outputs.append(np.stack(found[::-1] if reverse else found))
            lasts.append(states)
        return [np.stack(outputs, 1), *(np.stack(states) for states in zip(*lasts, strict=True))]

    def _check(self, inputs: Arrays) -> None:
        """Refuse shapes that do not fit together."""
        directions, gates = len(DIRECTIONS[self.direction]), GATES[type(self).__name__] * self.hidden
        x = inputs[0]
        assert x is not None
        check_shape("input 0", x, None, None, None)
        shapes = (
            (1, (directions, gates, x.shape[2])),
            (2, (directions, gates, self.hidden)),
            (3, (directions, 2 * gates)),
            (5, (directions, x.shape[1], self.hidden)),
            (6, (directions, x.shape[1], self.hidden)),
        )
        for place, shape in shapes:
            other = _input(inputs, place)
            if other is not None:
                check_shape(f"input {place}", other, *shape)

    def _states(self, inputs: Arrays) -> list[np.ndarray | None]:
        """Initial states."""
        raise NotImplementedError

    def _step(self, inputs: Arrays, number: int, site: int, multiply: Multiply) -> Step:
        """Function that computes the states of a step from the product of its inputs and the states before."""
        raise NotImplementedError

    def _biases(self, inputs: Arrays, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Biases of the inputs and of the hidden state."""
        both = _input(inputs, 3)
        size = GATES[type(self).__name__] * self.hidden
        if both is None:
            return np.zeros(size, np.float32), np.zeros(size, np.float32)
        return both[number, :size], both[number, size:]


def _input(inputs: Arrays, place: int) -> np.ndarray | None:
    return inputs[place] if len(inputs) > place else None


def _hidden_product(h: np.ndarray, weights: np.ndarray, site: int, multiply: Multiply) -> np.ndarray:
    return multiply(site, Operand.of(h[np.newaxis], "hidden state"), Operand.of(weights.T[np.newaxis], "input 2"))[0]


@attrs.frozen(kw_only=True)
class Lstm(_Recurrent):
    """LSTM with the gates input, output, forget and cell."""

    def _states(self, inputs: Arrays) -> list[np.ndarray | None]:
        return [_input(inputs, 5), _input(inputs, 6)]

    def _step(self, inputs: Arrays, number: int, site: int, multiply: Multiply) -> Step:
        weights = inputs[2]
        assert weights is not None
        before, after = self._biases(inputs, number)

        def step(gates: np.ndarray, states: list[np.ndarray]) -> list[np.ndarray]:
            hidden = _hidden_product(states[0], weights[number], site, multiply)
            i, o, f, c = np.split((gates + before) + (hidden + after), 4, axis=-1)
            cell = _sigmoid(f) * states[1] + _sigmoid(i) * np.tanh(c)
            return [_sigmoid(o) * np.tanh(cell), cell]

        return step


@attrs.frozen(kw_only=True)
class Gru(_Recurrent):
    """GRU with the gates update, reset and hidden.

    Parameters
    ----------
    linear_before_reset : bool
        Whether the reset gate multiplies the product of the hidden state. Otherwise it multiplies the hidden state, and
        a further product per step follows.
    """

    linear_before_reset: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("inputs", "hidden") if self.linear_before_reset else ("inputs", "hidden", "reset")

    def _states(self, inputs: Arrays) -> list[np.ndarray | None]:
        return [_input(inputs, 5)]

    def _step(self, inputs: Arrays, number: int, site: int, multiply: Multiply) -> Step:
        recurrent = inputs[2]
        assert recurrent is not None
        weights, two = recurrent[number], 2 * self.hidden
        before, after = self._biases(inputs, number)

        def step(gates: np.ndarray, states: list[np.ndarray]) -> list[np.ndarray]:
            (h,) = states
            gates = gates + before
            if self.linear_before_reset:
                hidden = _hidden_product(h, weights, site, multiply) + after
                update, reset = np.split(_sigmoid(gates[:, :two] + hidden[:, :two]), 2, axis=-1)
                new = np.tanh(gates[:, two:] + reset * hidden[:, two:])
            else:
                hidden = _hidden_product(h, weights[:two], site, multiply) + after[:two]
                update, reset = np.split(_sigmoid(gates[:, :two] + hidden), 2, axis=-1)
                last = _hidden_product(reset * h, weights[two:], site + 1, multiply) + after[two:]
                new = np.tanh(gates[:, two:] + last)
            return [(np.float32(1) - update) * new + update * h]

        return step
