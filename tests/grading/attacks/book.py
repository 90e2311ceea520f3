"""How an attack is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import toys


@dataclass(frozen=True)
class Attack:
    """One attack: what it hands in, and the points that its honest part deserves."""

    name: str
    what: str
    group: str
    make: Callable[[dict[str, str]], Any]  # facts about the victim → notebook, bytes, or both
    honest: float
    says: str  # words that the sentence or a message must hold
    limit: str  # those that it may hit, of which it must hit one; empty for whatever happens
    wasted: int  # the most runs before the one that counts


ATTACKS: list[Attack] = []


def attack(
    what: str, *, honest: float = 0.0, says: str = "", limit: str = "", wasted: int = 0
) -> Callable[[Callable], Callable]:
    """Register a function that makes a notebook, bytes, or (notebook, other files)."""

    def add(make: Callable) -> Callable:
        name = make.__name__
        assert name not in {a.name for a in ATTACKS}, name
        group = make.__module__.rpartition(".")[2]
        ATTACKS.append(Attack(name, what, group, make, honest, says, limit, wasted))
        return make

    return add


def code(what: str, name: str, source: str, *, last: str = "", **about: Any) -> None:
    """Register an attack that is code in a cell at the head of an unsolved notebook.

    `source` may hold {home}, {port} and other facts in double braces.
    """

    def make(facts: dict[str, str]) -> dict:
        return toys.with_cells(_filled(source, facts), _filled(last, facts))

    make.__name__ = name
    make.__module__ = _caller()
    attack(what, **about)(make)


def _filled(source: str, facts: dict[str, str]) -> str:
    for key, value in facts.items():
        source = source.replace("{{" + key + "}}", value)
    return source.strip("\n")


def _caller() -> str:
    import sys

    return sys._getframe(2).f_globals["__name__"]
