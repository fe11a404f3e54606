"""Maximum matching in a graph: Edmonds' blossom algorithm, for sparse edges and complete joins of whole classes."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

__all__ = ["maximum_matching"]

UNSEEN, EVEN, ODD = 0, 1, 2
NOBODY = -1


def maximum_matching(
    edges: Sequence[Collection[int]],
    classes: Sequence[Hashable] | None = None,
    joined: Mapping[Any, Collection[Hashable]] | None = None,
) -> list[int]:
    """Return the partner of each vertex in a matching with the most edges; -1 for a vertex without a partner.

    A search grows a tree of alternating paths from a vertex without a partner (J. Edmonds, Paths, trees, and flowers,
    1965). A vertex at an even distance from the root tries its edges. An edge to another even vertex closes a blossom,
    which shrinks to its base. A tree that finds no second vertex without a partner never will, and is left out of all
    later searches.

    A complete join needs no list of edges. In each search, only the first even vertex of a class tries all vertices
    of the joined classes; every later one tries the first even vertex of each joined class. This suffices, because
    the first vertex has already reached all others.

    Parameters
    ----------
    edges : sequence of collections of int
        Neighbors of each vertex, in both directions, without the neighbors by joins.
    classes : sequence, optional
        Class of each vertex.
    joined : mapping, optional
        Classes, the class itself perhaps among them, whose vertices are all neighbors of the vertices of a class;
        in both directions.
    """
    search = _Search(edges, classes or [None] * len(edges), joined or {})
    search.match_greedily()
    for root in range(len(edges)):
        if search.partner[root] == NOBODY:
            search.augment(root)
    return search.partner


class _Search:
    """State of the matching, and of one search for an augmenting path."""

    def __init__(
        self,
        edges: Sequence[Collection[int]],
        classes: Sequence[Hashable],
        joined: Mapping[Hashable, Collection[Hashable]],
    ):
        count = len(edges)
        self.edges, self.classes, self.joined = edges, classes, joined
        self.members: dict[Hashable, list[int]] = {}
        for vertex, its in enumerate(classes):
            self.members.setdefault(its, []).append(vertex)
        self.partner = [NOBODY] * count
        self.label = [UNSEEN] * count
        self.parent = [NOBODY] * count  # of an odd vertex in the tree; within blossoms, of even ones too
        self.up = list(range(count))  # towards the base of the vertex's blossom
        self.first: dict[Hashable, int] = {}  # even vertex of a class

    def match_greedily(self) -> None:
        """Match what matches easily: vertices with few neighbors first, by their own edges before joins."""
        waiting = {its: list(reversed(members)) for its, members in self.members.items()}
        for vertex in sorted(range(len(self.edges)), key=lambda vertex: len(self.edges[vertex])):
            if self.partner[vertex] != NOBODY:
                continue
            other = next((one for one in self.edges[vertex] if self.partner[one] == NOBODY), NOBODY)
            for its in self.joined.get(self.classes[vertex], ()):
                left = waiting.get(its, [])
                while other == NOBODY and left:
                    one = left.pop()
                    if self.partner[one] == NOBODY and one != vertex:
                        other = one
            if other != NOBODY:
                self.partner[vertex], self.partner[other] = other, vertex

    def augment(self, root: int) -> None:
        """Search for an augmenting path from a vertex without a partner, and match along it."""
        self.first = {}
        self.label[root] = EVEN
        queue, seen = [root], [root]
        for vertex in queue:
            for other in self.neighbors(vertex):
                if self.label[other] == UNSEEN:
                    self.parent[other] = vertex
                    self.label[other] = ODD
                    seen.append(other)
                    mate = self.partner[other]
                    if mate == NOBODY:
                        self._flip(other)
                        for one in seen:
                            self.label[one], self.up[one] = UNSEEN, one
                        return
                    self.label[mate] = EVEN
                    seen.append(mate)
                    queue.append(mate)
                elif self.label[other] == EVEN and self.base(vertex) != self.base(other):
                    base = self._meeting(vertex, other)
                    queue += self._shrink(vertex, other, base) + self._shrink(other, vertex, base)
        for vertex in seen:
            self.label[vertex] = ODD  # later searches pass by

    def neighbors(self, vertex: int) -> list[int]:
        """Neighbors that an even vertex has to try."""
        found = list(self.edges[vertex])
        its = self.classes[vertex]
        first = self.first.setdefault(its, vertex)
        for other in self.joined.get(its, ()):
            if first == vertex:
                found += [one for one in self.members.get(other, ()) if one != vertex]
            elif other in self.first:
                found.append(self.first[other])
        return found

    def base(self, vertex: int) -> int:
        """Base of the blossom of a vertex."""
        while self.up[vertex] != vertex:
            self.up[vertex] = self.up[self.up[vertex]]
            vertex = self.up[vertex]
        return vertex

    def _above(self, base: int) -> int:
        """The next even base towards the root; `NOBODY` above the root."""
        mate = self.partner[base]
        return NOBODY if mate == NOBODY else self.base(self.parent[mate])

    def _meeting(self, one: int, other: int) -> int:
        """The base at which the paths from two even vertices to the root meet."""
        passed = set()
        one, other = self.base(one), self.base(other)
        while one not in passed:
            passed.add(one)
            one = self._above(one)
            if other != NOBODY:
                one, other = other, one
        return one

    def _shrink(self, vertex: int, other: int, base: int) -> list[int]:
        """Shrink the path from a vertex to a base; return the odd vertices that it makes even."""
        even = []
        while self.base(vertex) != base:
            self.parent[vertex] = other
            other = self.partner[vertex]
            if self.label[other] == ODD:
                self.label[other] = EVEN
                even.append(other)
            for one in (vertex, other):
                if self.up[one] == one:
                    self.up[one] = base
            vertex = self.parent[other]
        return even

    def _flip(self, vertex: int) -> None:
        """Match along the path from an odd vertex without a partner to the root."""
        while vertex != NOBODY:
            other = self.parent[vertex]
            after = self.partner[other]
            self.partner[vertex], self.partner[other] = other, vertex
            vertex = after
