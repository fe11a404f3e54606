"""Registry: the units that can be emitted, listed and reported one by one."""

from collections.abc import Callable
from typing import Any

import attrs

from lowtide.config import Config, ConfigError, nearest, section_from
from lowtide.engine.sum_memory import SumMemory, SumMemoryParams
from lowtide.formats.bfp import Bfp
from lowtide.formats.parameter import value_text
from lowtide.formats.terms import Terms
from lowtide.interfaces.axi_lite import AxiLite
from lowtide.interfaces.params import RegisterSpace
from lowtide.interfaces.wishbone import Wishbone
from lowtide.netlist import Unit
from lowtide.units.arithmetic.fmac import Fmac
from lowtide.units.arithmetic.pair_mac import PairMac
from lowtide.units.arithmetic.pmac import Pmac, PmacParams
from lowtide.units.arithmetic.tmac import Tmac
from lowtide.units.conversion.chunker import Chunker
from lowtide.units.conversion.converter import BfpConverter
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.conversion.row_normalizer import RowNormalizer, RowNormalizerParams
from lowtide.units.conversion.serial_converter import SerialBfpConverter
from lowtide.units.floating.block_mac import BlockFloatMac, BlockFloatMacParams
from lowtide.units.floating.mac import FloatMac, FloatMacParams
from lowtide.units.random.neighbor import NeighborSource
from lowtide.units.random.params import NeighborParams, RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide.units.requantization.requantizer import Requantizer, RequantizerParams
from lowtide.units.requantization.row_requantizer import RowRequantizer, RowRequantizerParams
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder
from lowtide.units.rounding.stochastic import StochasticParams, StochasticRounder
from lowtide.units.terms.digit_serializer import DigitSerializer, SerializerParams
from lowtide.units.terms.encoder import Encoder, EncoderParams
from lowtide.units.terms.receding_water import RecedingWater, RecedingWaterParams
from lowtide.units.terms.serial_hese import SerialHese, SerialParams
from lowtide.units.terms.top_terms import TopTerms, TopTermsParams
from lowtide.units.terms.waterline import Waterline, WaterlineParams

__all__ = ["UNITS", "UnitKind", "describe", "parameters_of"]


@attrs.frozen
class UnitKind:
    """Kind of unit: its class, and the class of its parameters."""

    make: Callable[[Any], Unit]
    parameters: type

    @property
    def meaning(self) -> str:
        """First line of the class docstring; empty if Python runs without docstrings."""
        return (self.make.__doc__ or "").partition("\n")[0]


UNITS = {
    "axi_lite": UnitKind(AxiLite, RegisterSpace),
    "bfp_converter": UnitKind(BfpConverter, ConverterParams),
    "serial_bfp_converter": UnitKind(SerialBfpConverter, ConverterParams),
    "block_float_mac": UnitKind(BlockFloatMac, BlockFloatMacParams),
    "chunker": UnitKind(Chunker, ConverterParams),
    "digit_serializer": UnitKind(DigitSerializer, SerializerParams),
    "encoder": UnitKind(Encoder, EncoderParams),
    "float_mac": UnitKind(FloatMac, FloatMacParams),
    "fmac": UnitKind(Fmac, Bfp),
    "neighbor_source": UnitKind(NeighborSource, NeighborParams),
    "normalizer": UnitKind(Normalizer, NormalizerParams),
    "pair_mac": UnitKind(PairMac, Terms),
    "pmac": UnitKind(Pmac, PmacParams),
    "random_source": UnitKind(RandomSource, RandomSourceParams),
    "receding_water": UnitKind(RecedingWater, RecedingWaterParams),
    "requantizer": UnitKind(Requantizer, RequantizerParams),
    "rounder": UnitKind(Rounder, RounderParams),
    "row_normalizer": UnitKind(RowNormalizer, RowNormalizerParams),
    "row_requantizer": UnitKind(RowRequantizer, RowRequantizerParams),
    "serial_hese": UnitKind(SerialHese, SerialParams),
    "sum_memory": UnitKind(SumMemory, SumMemoryParams),
    "stochastic_rounder": UnitKind(StochasticRounder, StochasticParams),
    "tmac": UnitKind(Tmac, Terms),
    "top_terms": UnitKind(TopTerms, TopTermsParams),
    "waterline": UnitKind(Waterline, WaterlineParams),
    "wishbone": UnitKind(Wishbone, RegisterSpace),
}


def parameters_of(name: str, config: Config, changes: dict[str, Any]) -> Any:
    """Return the parameters of one unit as a configuration's array has them, with some changes.

    Raises
    ------
    ConfigError
        If the unit does not exist, or a parameter is not legal.
    """
    if name not in UNITS:
        raise ConfigError(f"no unit {value_text(name)}{nearest(name, UNITS)}; units: {', '.join(UNITS)}")
    kind = UNITS[name]
    tables = config.to_tables()
    standing = [tables[field.name] for field in attrs.fields(Config) if field.type is kind.parameters]
    return section_from(kind.parameters, standing[0] | changes if standing else changes)


def describe(section: type) -> list[dict[str, Any]]:
    """Return the keys of a section with their defaults, legal values and meanings."""
    rows = []
    for field in attrs.fields(section):
        legal = field.metadata["legal"]
        rows.append(
            {
                "key": field.name,
                "default": field.default,
                "legal": {"from": legal[0], "to": legal[-1]} if isinstance(legal, range) else list(legal),
                "meaning": field.metadata["meaning"],
            }
        )
    return rows
