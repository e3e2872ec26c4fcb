"""Plans read back in words, from what they bring about and not from what their planner calls it."""

from __future__ import annotations

from fmrl_robot.plancheck.intent.arm_effects import Effects


def say(found: Effects) -> str:
    """Say in one phrase what an arm would do; ``do nothing`` for no step.

    Cubes are named where they come to rest, not where they are set aside on the way.
    """
    parts: list[str] = []
    last_placed = {cube: i for i, (act, cube, _) in enumerate(found.events) if act == "place"}
    last_taken = {cube: i for i, (act, cube, _) in enumerate(found.events) if act == "grasp"}
    for i, (act, thing, to) in enumerate(found.events):
        name = thing.replace("_", " ")
        if act == "place" and last_placed[thing] == i:
            where = "on the" if to == "table" or to.endswith("_cube") else "in the"
            parts.append(f"put the {name} {where} {to.replace('_', ' ')}")
        elif act == "place":
            parts.append(f"set the {name} aside")
        elif act == "grasp":
            if found.after[thing] == "hand" and last_taken[thing] == i:
                parts.append(f"hold the {name}")
        else:
            parts.append(f"{act} the {name}")
    if not parts:
        return "do nothing"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
