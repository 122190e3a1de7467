"""Colours that mean the same in every chart, on white and on dark alike.

The ten category colours come from simulated annealing over ten hue families: among colours with a
contrast of at least 3:1 against white and #0e1117, the set whose closest pair lies furthest apart
(CIEDE2000) in normal vision and under simulated protanopia, deuteranopia and tritanopia. A test
measures both.
"""

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
"""By position in the taxonomy. Use `category_colour`, which has more."""
_MORE_COLOURS = (
    "#8a7cb4 #815b26 #237f8d #ac7190 #586c33 #5771a3 #b2745f #187363 #846294 #988547 "
    "#236c8a #9c5c68 #659466 #5c5d92 #96653c #3b9698 #815076 #727739 #5e8ab8 #8d4f48 "
    "#3a8165 #907ab1 #7c5d23 #287d92 #af7088 #506e39 #5e6fa4 #b07658 #0d736a #89608f"
).split()
"""From the eleventh on: hues 137.5° apart (golden angle) at three levels of OKLCH lightness. Each
contrasts with light and dark, but two may look alike to some people."""
UNKNOWN = "#7d8590"
"""A category that the taxonomy no longer has, and other values that are set apart."""

SYSTEM_COLOURS = (CATEGORY_COLOURS[9], *CATEGORY_COLOURS[:6])
"""By position among the systems compared: the first is the baseline of the others."""
SYSTEM_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "x")
CATEGORY_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon", "cross")
"""By position in the taxonomy, so that points differ by more than colour."""

# all from the ten, whose distances are measured
FIXED, NOT_FIXED, UNCHECKED, NEW = "#07a4a4", "#dd7b2b", "#706f9c", "#de2d46"
SEVERITY_COLOURS = {3: "#de2d46", 2: "#dd7b2b", 1: "#706f9c"}
CLEAN = "rgba(125,133,144,0.22)"
DARK_INK = "#10151f"


def category_colour(taxonomy: Taxonomy, category: str) -> str:
    """The colour of a category by its position in the taxonomy, as #rrggbb."""
    ids = list(taxonomy.by_id)
    return colour_at(ids.index(category)) if category in taxonomy.by_id else UNKNOWN


def colour_at(position: int) -> str:
    """The colour of the category at `position`, from 0. From the 41st on, colours repeat."""
    if position < len(CATEGORY_COLOURS):
        return CATEGORY_COLOURS[position]
    return _MORE_COLOURS[(position - len(CATEGORY_COLOURS)) % len(_MORE_COLOURS)]


def ink_on(colour: str) -> str:
    """White or near-black, whichever contrasts more with the colour (#rrggbb, else white)."""
    luminance = _luminance(colour) if colour.startswith("#") else 0.0
    return DARK_INK if (luminance + 0.05) ** 2 > 1.05 * (_luminance(DARK_INK) + 0.05) else "#ffffff"


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2), 0 black to 1 white."""
    encoded = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
