"""What the embedded CLIP is taught to say: every fact of both scenes, each in several phrasings.

A goal whose fact is not here was never trained, and the reward model must not score it; so this
list is shipped beside the weights (``vocabulary.json``) and is the only source of it.
"""

from __future__ import annotations

from fmrl_robot.skills.captioner import caption
from fmrl_robot.skills.tabletop import CUBES, HOLDERS
from fmrl_robot.types import SAYTAP_LEGS, Leg, Predicate

MARKERS = ("red_marker", "green_marker", "blue_marker")
POSES = ("standing", "crouching", "bowing", "sitting", "lying", "fallen")
ABOVE = (*CUBES, "bowl", "bin")
"""What the gripper may be above of."""

CONJUNCTION = "and"
"""Joins two facts in one sentence."""

TABLETOP, GROUND, WRIST = "tabletop", "ground", "wrist"
"""Sets of pictures: two scenes, and the first seen from the hand."""

BASELINES = {
    TABLETOP: (
        "a robot arm at a table with cubes",
        "a robot arm above a table",
        "a table with cubes, a bowl, a bin and a drawer",
    ),
    GROUND: (
        "a robot dog on the floor",
        "a quadruped robot on flat ground",
        "a four-legged robot outdoors on the ground",
    ),
}
"""True of every frame of a scene, whatever its state: VLM-RM's baseline prompts."""

_LEG_WORDS = {
    Leg.FL.value: "front left",
    Leg.FR.value: "front right",
    Leg.RL.value: "rear left",
    Leg.RR.value: "rear right",
}

_PHRASES: dict[str, tuple[str, ...]] = {
    "on": (
        "the {0} is on the {1}",
        "the {0} is on top of the {1}",
        "the {0} rests on the {1}",
        "the {0} stands on the {1}",
        "the {0} lies on the {1}",
    ),
    "in": (
        "the {0} is in the {1}",
        "the {0} is inside the {1}",
        "the {0} lies in the {1}",
        "the {1} contains the {0}",
        "there is the {0} in the {1}",
    ),
    "held": (
        "the gripper holds the {0}",
        "the {0} is held by the gripper",
        "the robot is holding the {0}",
        "the {0} is in the gripper",
        "the hand has grasped the {0}",
    ),
    "hand_empty": (
        "the gripper is empty",
        "the gripper holds nothing",
        "the robot is holding nothing",
        "the hand is empty",
    ),
    "open": ("the {0} is open", "the {0} stands open", "the open {0}", "the {0} is wide open"),
    "closed": ("the {0} is closed", "the {0} is shut", "the closed {0}", "the {0} is not open"),
    "above": (
        "the gripper is above the {1}",
        "the hand is over the {1}",
        "the gripper hovers above the {1}",
        "the {1} is below the gripper",
    ),
    "pressed": (
        "the {0} is pressed",
        "the {0} has been pressed",
        "the lamp of the {0} is lit",
        "the {0} lights up",
    ),
    "not pressed": (
        "the {0} is not pressed",
        "the lamp of the {0} is dark",
        "the {0} has not been pressed",
    ),
    "near": (
        "the robot is near the {0}",
        "the robot is next to the {0}",
        "the robot dog is beside the {0}",
        "the robot stands close to the {0}",
    ),
    "contact": (
        "the {0} foot is on the ground",
        "the {0} foot touches the ground",
        "the {0} leg is on the floor",
    ),
    "not contact": (
        "the {0} foot is lifted",
        "the {0} leg is in the air",
        "the {0} foot is off the ground",
    ),
    "standing": ("the robot dog is standing", "the robot stands on its legs", "a standing robot"),
    "crouching": (
        "the robot dog is crouching",
        "the robot crouches on bent legs",
        "a crouching robot",
    ),
    "bowing": (
        "the robot dog is bowing",
        "the robot bows with its chest low",
        "a bowing robot",
    ),
    "lying": ("the robot dog is lying down", "the robot lies on its belly", "a lying robot"),
    "sitting": ("the robot dog is sitting", "the robot sits on its hind legs", "a sitting robot"),
    "fallen": ("the robot dog has fallen over", "the robot lies on its side", "a fallen robot"),
}


def tabletop_facts() -> tuple[Predicate, ...]:
    """Every fact taught about *tabletop*, in a fixed order."""
    facts = [Predicate("on", (a, b)) for a in CUBES for b in (*CUBES, "table") if a != b]
    facts += [Predicate("in", (cube, holder)) for cube in CUBES for holder in HOLDERS]
    facts += [Predicate("held", (cube,)) for cube in CUBES]
    facts += [Predicate("hand_empty"), Predicate("open", ("drawer",))]
    facts += [Predicate("closed", ("drawer",)), Predicate("pressed", ("button",))]
    facts += [Predicate("above", ("gripper", thing)) for thing in ABOVE]
    facts += [Predicate("open", ("gripper",)), Predicate("closed", ("gripper",))]
    return tuple(facts)


def ground_facts() -> tuple[Predicate, ...]:
    """Every fact taught about *ground*, in a fixed order."""
    facts = [Predicate(pose, ("robot",)) for pose in POSES]
    facts += [Predicate("contact", (leg.value,)) for leg in SAYTAP_LEGS]
    facts += [Predicate("near", ("robot", marker)) for marker in MARKERS]
    return tuple(facts)


def wrist_facts() -> tuple[Predicate, ...]:
    """Those of *tabletop* that the camera on the hand can tell: fingers and what is below them."""
    names = ("held", "hand_empty", "above")
    return tuple(f for f in tabletop_facts() if f.name in names or f.args == ("gripper",))


def facts() -> tuple[Predicate, ...]:
    """Every fact taught, *tabletop* first; the column order of the truth matrix."""
    return tabletop_facts() + ground_facts()


def kind(fact: Predicate) -> str:
    """Name the kind of a fact, as cards do: ``in bowl``, ``on table``, ``open drawer``."""
    detail = {
        "in": fact.args[-1:],
        "on": ("table",) if fact.args[-1:] == ("table",) else (),
        "above": () if fact.args[-1:] and fact.args[-1] in CUBES else ("holder",),
        "open": fact.args,
        "closed": fact.args,
    }
    return " ".join((fact.name, *detail.get(fact.name, ())))


def neighbours(fact: Predicate) -> list[Predicate]:
    """Facts of the vocabulary whose caption differs from this one's in one word."""
    found: list[Predicate] = []
    mine = caption(fact).split()
    for other in facts():
        theirs = caption(other).split() if other.name != "contact" else []
        if len(theirs) == len(mine) and sum(a != b for a, b in zip(mine, theirs, strict=True)) == 1:
            found.append(other)
    return found


def phrasings(fact: Predicate) -> tuple[str, ...]:
    """Return the sentences that assert ``fact`` (or deny it, where it is negated); may be empty."""
    key = fact.name if fact.value else f"not {fact.name}"
    words = [_words(a) for a in (fact.args[1:] if fact.name == "near" else fact.args)]
    return tuple(template.format(*words) for template in _PHRASES.get(key, ()))


def _words(name: str) -> str:
    return _LEG_WORDS.get(name, name.replace("_", " "))


def every_sentence() -> tuple[str, ...]:
    """All sentences of the vocabulary without conjunctions, for the tokenizer and tests."""
    sentences = [text for prompts in BASELINES.values() for text in prompts]
    for fact in facts():
        sentences += phrasings(fact)
        sentences += phrasings(Predicate(fact.name, fact.args, value=False))
    return tuple(sentences)
