"""Colours that mean the same in every chart, on white and on dark alike.

The ten category colours were searched for by simulated annealing over ten hue families: among
colours with a contrast of at least 3:1 against white and against #0e1117, the set whose closest
pair lies furthest apart (CIEDE2000) in normal vision and under simulated protanopia, deuteranopia
and tritanopia. A test measures both.
"""

import math

from arf_core.project.taxonomy import Taxonomy

CATEGORY_COLOURS = (
    "#4c7df7",  # blue
    "#dd7b2b",  # orange
    "#2f8353",  # green
    "#7b42c2",  # violet
    "#de2d46",  # red
    "#07a4a4",  # teal
    "#77601b",  # ochre
    "#a33b73",  # plum
    "#af8a7d",  # taupe
    "#706f9c",  # slate
)
"""By position in the taxonomy. Use `category_colour`, which knows what comes after the tenth."""
UNKNOWN = "#7d8590"
"""A category that the taxonomy no longer has, and everything else that stands aside."""

SYSTEM_COLOURS = (CATEGORY_COLOURS[9], *CATEGORY_COLOURS[:6])
"""By position among the systems compared: the first is what the others are measured against."""
SYSTEM_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "x")

CATEGORY_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon", "cross")
"""By position in the taxonomy, so that colour is never the only difference between points."""

# All from the ten, whose distances are measured.
FIXED, NOT_FIXED, UNCHECKED, NEW = "#07a4a4", "#dd7b2b", "#706f9c", "#de2d46"
SEVERITY_COLOURS = {3: "#de2d46", 2: "#dd7b2b", 1: "#706f9c"}
CLEAN = "rgba(125,133,144,0.22)"
DARK_INK = "#10151f"
_GOLDEN_ANGLE = math.radians(137.508)


def category_colour(taxonomy: Taxonomy, category: str) -> str:
    """The colour of a category by its place in the taxonomy, as #rrggbb."""
    ids = list(taxonomy.by_id)
    return colour_at(ids.index(category)) if category in taxonomy.by_id else UNKNOWN


def colour_at(position: int) -> str:
    """The colour of the category at `position`, from 0.

    From the tenth on hues go round by the golden angle at three levels of lightness: every colour
    keeps its contrast with light and dark, but two may look alike to some.
    """
    if position < len(CATEGORY_COLOURS):
        return CATEGORY_COLOURS[position]
    lightness = (0.55, 0.62, 0.50)[position % 3]
    return _oklch(lightness, 0.085, _GOLDEN_ANGLE * position)


def ink_on(colour: str) -> str:
    """White or near-black, whichever is read more easily on the colour (#rrggbb, else white)."""
    luminance = _luminance(colour) if colour.startswith("#") else 0.0
    return DARK_INK if (luminance + 0.05) ** 2 > 1.05 * (_luminance(DARK_INK) + 0.05) else "#ffffff"


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2), 0 black to 1 white."""
    red, green, blue = (_decoded(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour (Ottosson 2020) as #rrggbb. The hue is in radians."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encoded(min(1.0, max(0.0, c)))):02x}" for c in linear)


def _decoded(encoded: float) -> float:
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


def _encoded(linear: float) -> float:
    """sRGB transfer function (IEC 61966-2-1)."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
