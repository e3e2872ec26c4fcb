"""The things of the scene *tabletop*, in which this project's embedded models learned their words.

Data, no rule: the symbolic world and the plan language take whatever things a scene has.
"""

from __future__ import annotations

TABLETOP: dict[str, str] = {
    "red_cube": "cube",
    "green_cube": "cube",
    "blue_cube": "cube",
    "yellow_cube": "cube",
    "bowl": "bowl",
    "bin": "bin",
    "drawer": "drawer",
    "button": "button",
}
"""Categories by name."""
CUBES = tuple(name for name, category in TABLETOP.items() if category == "cube")
HOLDERS = ("bowl", "bin", "drawer")
"""What cubes can be in."""
