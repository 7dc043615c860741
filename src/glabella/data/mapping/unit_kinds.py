"""What each unit measures: a program for units takes many for a ratio that are none.

The same dimension is not the same measure. A percentage, an angle and a rate of amounts have no
dimension; a becquerel, a hertz and a beat a minute have one, and so have a gray and a sievert, or a
newton metre and a joule. Only units listed here are converted, each by what it measures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PRESSURE = {"mass": 1, "length": -1, "time": -2}
_FORCE = {"mass": 1, "length": 1, "time": -2}
# By the library's name of a unit: its family, and what it is made of. What has a name of its own
# there, such as energy, is no product of others: a torque is none.
_UNITS: dict[str, tuple[str, dict[str, int]]] = {
    name: (family, made_of)
    for family, made_of, names in (
        ("time", {"time": 1}, "second minute hour day week fortnight month year"),
        ("mass", {"mass": 1}, "gram pound ounce stone"),
        ("length", {"length": 1}, "meter inch foot yard mile"),
        ("volume", {"length": 3}, "liter cubic_centimeter"),
        ("amount", {"amount": 1}, "mole"),
        ("molarity", {"amount": 1, "length": -3}, "molar"),
        ("catalysis", {"amount": 1, "time": -1}, "katal enzyme_unit"),
        ("pressure", _PRESSURE, "pascal bar torr meter_Hg millimeter_Hg inch_Hg"),
        ("pressure", _PRESSURE, "meter_H2O centimeter_H2O"),
        ("pressure", _PRESSURE, "standard_atmosphere pound_force_per_square_inch"),
        ("force", _FORCE, "newton dyne"),
        ("energy", {"energy": 1}, "joule calorie"),
        ("power", {"energy": 1, "time": -1}, "watt"),
        ("voltage", {"voltage": 1}, "volt"),
        ("current", {"current": 1}, "ampere"),
        ("resistance", {"resistance": 1}, "ohm"),
        ("field", {"field": 1}, "tesla"),
        ("frequency", {"time": -1}, "hertz"),
        ("radioactivity", {"decays": 1, "time": -1}, "becquerel curie"),
        ("absorbed dose", {"absorbed dose": 1}, "gray rads"),
        ("equivalent dose", {"equivalent dose": 1}, "sievert rem"),
        ("angle", {"angle": 1}, "radian degree arcminute arcsecond turn"),
        ("temperature", {"temperature": 1}, "kelvin degree_Celsius degree_Fahrenheit"),
        ("warming", {"warming": 1}, "delta_degree_Celsius delta_degree_Fahrenheit"),
        ("share", {"share": 1}, "percent permille"),
        ("parts", {"parts": 1}, "ppm"),
        ("preparation", {"preparation": 1}, "international_unit"),
        ("count", {}, "count"),
    )
    for name in names.split()
}
# Capitals are written for small letters: megalitres are meant for millilitres, petagrams for
# picograms. Such prefixes are followed only where the measure is counted in them.
_PREFIXES = ("", "kilo", "hecto", "deci", "centi", "milli", "micro", "nano", "pico", "femto")
_LARGE = {"mega": "radioactivity frequency preparation pressure energy", "giga": "radioactivity"}
# What is counted differs where both units say so; each form in which it is written.
_COUNTED = {
    form: noun
    for noun in (
        "cell", "beat", "breath", "episode", "attack", "seizure", "event", "headache", "platelet",
    )
    for form in (noun, f"{noun}s")
}  # fmt: skip
COUNTED_WORDS = frozenset(_COUNTED)
_SAME = re.compile(r"\s*([^\W\d_]+)\s*/\s*\1\s*")


@dataclass(frozen=True)
class UnitKind:
    """What a unit measures.

    Parameters
    ----------
    made_of : frozenset of tuple
        Measures with their powers; none where they cancel.
    ratio_of : frozenset of str
        Families that are on both sides of a fraction: grams a gram are no litres a litre.
    counted : frozenset of str
        What is counted, where the unit says so.
    """

    made_of: frozenset[tuple[str, int]]
    ratio_of: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()

    @property
    def is_share(self) -> bool:
        """Whether it is a percentage or another share of a whole."""
        return self.made_of == {("share", 1)}

    @property
    def is_ratio_of_amounts(self) -> bool:
        """Whether it is of the kind of ``mmol/mol``."""
        return not self.made_of and self.ratio_of == {"amount"}

    def is_same_kind(self, other: UnitKind) -> bool:
        """Say whether a factor leads from one to the other.

        Returns
        -------
        bool
            Whether both measure the same; what is counted differs only where both say what.
        """
        alike = self.made_of == other.made_of and self.ratio_of == other.ratio_of
        return alike and (not self.counted or not other.counted or self.counted == other.counted)


def find_counted(unit: str) -> frozenset[str]:
    """Find what a unit counts."""
    words = re.findall(r"[^\W\d_]+", unit.lower())
    return frozenset(_COUNTED[word] for word in words if word in _COUNTED)


def find_kind(unit: str, spelled: str, registry: Any) -> UnitKind | None:
    """Find what a unit measures."""
    same = _SAME.fullmatch(spelled)
    # The library cancels a unit that is on both sides, and what was measured with it.
    parsed = registry.parse_expression(same[1] if same else spelled)
    powers: Mapping[str, Any] = dict(getattr(parsed, "_units", {}))
    made_of: Counter[str] = Counter()
    families: dict[str, list[int]] = {}
    for name, power in powers.items():
        found = _find_unit(name, registry)
        if found is None or power != int(power):
            return None
        family, parts = found
        families.setdefault(family, []).append(int(power))
        for measure, times in parts.items():
            made_of[measure] += times * int(power)
    if made_of["temperature"] and len(powers) > 1:
        return None
    both = frozenset(f for f, of in families.items() if min(of) < 0 < max(of))
    measures = frozenset((m, p) for m, p in made_of.items() if p)
    if same:
        both, measures = frozenset(families), frozenset()
    is_whole = spelled.strip() == "1" or both == {"volume"}
    if not measures and is_whole:
        # Of a litre's parts a percentage is the usual measure.
        return UnitKind(frozenset({("share", 1)}))
    return UnitKind(measures, both - {"count"}, find_counted(unit))


def _find_unit(name: str, registry: Any) -> tuple[str, dict[str, int]] | None:
    for prefix, base, _ in registry.parse_unit_name(name):
        found = _UNITS.get(base)
        if found is None:
            continue
        if prefix in _PREFIXES or found[0] in _LARGE.get(prefix, "").split():
            return found
    return None
