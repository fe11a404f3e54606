"""Term revealing of a product: settings, and the values of their registers."""

import attrs

from lowtide.array.terms.settings import Settings
from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, instance, parameter, whole_number

__all__ = ["Reveal", "effective", "reveal_registers"]


@attrs.frozen(kw_only=True)
class Reveal:
    """Term revealing of a product: which terms of the integers an engine multiplies.

    Parameters
    ----------
    group : int
        Weights per group along K, ``g``.
    budget : int
        Terms kept per group of weights, the largest, ``k``.
    data_terms : int
        Terms kept per value of the data, the largest, ``s``.

    Raises
    ------
    IllegalValue
        If a number is not an integer or out of the range of any engine.
    """

    group: int = parameter(8, range(1, 65), "weights per group")
    budget: int = parameter(16, range(1025), "terms kept per group of weights")
    data_terms: int = parameter(4, range(17), "terms kept per value of the data")


def effective(config: Config, reveal: Reveal | None) -> Reveal:
    """Return the settings in force: without revealing, the largest group, of which every term is kept.

    Raises
    ------
    ValueError
        If the engine does not reveal terms, or lacks a setting.
    """
    checked(config, reveal)
    terms = config.terms
    everything = Reveal(group=terms.group, budget=terms.group * terms.most_terms, data_terms=terms.most_terms)
    return everything if reveal is None else reveal


def checked(config: Config, reveal: Reveal | None) -> Reveal | None:
    """Return settings that an engine has.

    Raises
    ------
    ValueError
        If the engine does not reveal terms, or lacks a setting.
    """
    if reveal is None:
        return None
    element, terms = config.array.element, config.terms
    if element != "tmac":
        raise IllegalValue("reveal", f"None for an engine with array.element = {element} (tmac reveals terms)", reveal)
    reveal = instance("reveal", reveal, Reveal)
    groups = range(terms.values, terms.group + 1, terms.values)
    whole_number("reveal.group", reveal.group, groups if terms.values == 1 else tuple(groups), "terms.group")
    whole_number("reveal.budget", reveal.budget, range(terms.budget + 1), "terms.budget")
    whole_number("reveal.data_terms", reveal.data_terms, range(terms.data_terms + 1), "terms.data_terms")
    return reveal


def reveal_registers(config: Config, reveal: Reveal | None) -> dict[str, int]:
    """Return the values of the registers of term revealing, by name; empty if the engine does not reveal terms.

    Raises
    ------
    ValueError
        If the engine does not reveal terms, or lacks a setting.
    """
    reveal = checked(config, reveal)
    if config.array.element != "tmac":
        return {}
    largest = {str(name): Settings(config.terms).legal[str(name)][-1] for name, _ in Settings(config.terms)}
    values = largest | {"reveal": 0} if reveal is None else attrs.asdict(reveal) | {"reveal": 1}
    return {f"terms_{name}": values[name] for name in largest}
