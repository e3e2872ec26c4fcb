"""Every operator of this project, a table a kind of robot: data, without a line of code.

What differs between robots stands here and nowhere else. A person, who has two hands, is the robot
of stories about other places.
"""

from __future__ import annotations

from dataclasses import replace

from fmrl_robot.skills.skill import Effect, Need, Skill

_FREE_HAND = Need("hand_empty()", "an empty hand; place {Held} first")
_NOTHING_ON_IT = "nothing on it; take that off first"
_IN_REACH = Need("not far(Target)", "it within reach; choose another")

GRASP = Skill(
    targets=("cube",),
    needs=(
        Need("hand_empty()", "an empty hand; it holds {Held}"),
        Need("clear(Target)", _NOTHING_ON_IT),
        Need(
            "open(Place)",
            "the {Place} open; open({Place}) first",
            given=("in(Target, Place)", "is_a(Place, drawer)"),
        ),
        _IN_REACH,
    ),
    adds=("held(Target)",),
    # A plan that grasps with a full hand is refused; until then one thing is held, not two.
    deletes=("held(Any)", "on(Target, Any)", "in(Target, Any)"),
    ends="held(Target)",
    words="take a cube",
)
PLACE = Skill(
    targets=("cube", "bowl", "bin", "drawer", "table"),
    needs=(
        Need("held(Any)", "a cube in the hand; grasp one first"),
        Need("not held(Target)", "another place than the held cube itself"),
        Need("open(Target)", "it open; open it first", given=("is_a(Target, drawer)",)),
        Need("clear(Target)", _NOTHING_ON_IT, given=("is_a(Target, cube)",)),
        _IN_REACH,
    ),
    adds=("rests(Held, Target)",),
    deletes=("held(Any)",),
    ends="rests(Held, Target)",
    lapses=("on(Held, table)",),
    words="let go of the held cube in or on something",
)
OPEN = Skill(
    targets=("drawer",),
    needs=(_FREE_HAND, Need("closed(Target)", "it closed; it is open")),
    adds=("open(Target)",),
    ends="open(Target)",
    words="pull the drawer open",
    thwarted=("locked(Target)",),
)
CLOSE = Skill(
    targets=("drawer",),
    needs=(_FREE_HAND, Need("open(Target)", "it open; it is closed")),
    deletes=("open(Target)",),
    ends="closed(Target)",
    words="push the drawer shut",
)
PRESS = Skill(
    targets=("button",),
    needs=(_FREE_HAND,),
    adds=("pressed(Target)",),
    deletes=("locked(Any)",),
    ends="pressed(Target)",
    words="press the button",
)

WALK = Skill(
    targets=("place",),
    needs=(
        Need("not at(Robot, Target)", "another place; it is there"),
        Need("way(Here, Target)", "a way there from the {Here}; go another way"),
        Need("not stairs(Here, Target)", "level ground; climb there"),
        Need("not blocked(Here, Target)", "a free way; go another way"),
        Need("open(Gate)", "the {Gate} open; step on its pad", given=("bars(Gate, Here, Target)",)),
    ),
    adds=("at(Robot, Target)",),
    deletes=("at(Robot, Any)",),
    ends="at(Robot, Target)",
    words="walk to a place that a level way leads to",
)
CLIMB = Skill(
    targets=("place",),
    needs=(
        Need("not at(Robot, Target)", "another place; it is there"),
        Need("stairs(Here, Target)", "stairs there from the {Here}; walk there"),
        Need("not blocked(Here, Target)", "a free way; go another way"),
    ),
    adds=("at(Robot, Target)",),
    deletes=("at(Robot, Any)",),
    ends="at(Robot, Target)",
    words="climb the stairs to a place",
)
STEP_ON = Skill(
    targets=("pad",),
    needs=(Need("lies(Target, Here)", "to be where the pad is; go there first"),),
    adds=("pressed(Target)", Effect("open(Gate)", ("is_a(Gate, gate)", "wired(Target, Gate)"))),
    ends="pressed(Target)",
    words="step on a pad, which opens a gate",
)
SEARCH = Skill(
    targets=("place",),
    needs=(Need("at(Robot, Target)", "to be there; go there first"),),
    adds=(
        "searched(Target)",
        Effect("found(Thing)", ("is_a(Thing, thing)", "lies(Thing, Target)")),
    ),
    ends="searched(Target)",
    words="look around where it stands",
)

_ANY_HAND = ("hand_empty()",)


def _two_handed(skill: Skill) -> Skill:
    return replace(skill, needs=tuple(n for n in skill.needs if n.fact not in _ANY_HAND))


OPERATORS: dict[str, dict[str, Skill]] = {
    "arm": {"grasp": GRASP, "place": PLACE, "open": OPEN, "close": CLOSE, "press": PRESS},
    "quadruped": {"walk": WALK, "climb": CLIMB, "step_on": STEP_ON, "search": SEARCH},
    "person": {
        "grasp": GRASP,
        "place": PLACE,
        "open": _two_handed(OPEN),
        "close": _two_handed(CLOSE),
        "press": _two_handed(PRESS),
    },
}
"""By kind of robot, then by name."""
