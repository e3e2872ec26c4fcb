"""Single actions of the arm, each in the grammatical forms a sentence may need.

An act knows its plan and can be said as an order ("put X in the bowl"), a gerund ("putting X in
the bowl"), a perfect ("put X in the bowl", after "have") and a state ("X is in the bowl"), so that
the connectors of a sequence can be drawn independently of what they connect.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, WORDS

IN_VERBS = (
    "put putting put|place placing placed|drop dropping dropped|move moving moved|"
    "set setting set|lay laying laid|toss tossing tossed|throw throwing thrown|"
    "stick sticking stuck|pop popping popped|bring bringing brought|"
    "transfer transferring transferred|deposit depositing deposited|shift shifting shifted|"
    "store storing stored|stow stowing stowed|dump dumping dumped|get getting got|"
    "deliver delivering delivered|load loading loaded|relocate relocating relocated|"
    "chuck chucking chucked|plop plopping plopped|carry carrying carried|tuck tucking tucked|"
    "put putting put|place placing placed|put putting put|place placing placed|"
    "drop dropping dropped|move moving moved|stash stashing stashed|transport transporting "
    "transported|release releasing released|lower lowering lowered|let's_put putting put"
)
ON_VERBS = (
    "put putting put|place placing placed|stack stacking stacked|set setting set|"
    "lay laying laid|stack stacking stacked|put putting put|move moving moved|rest resting rested|"
    "balance balancing balanced|position positioning positioned|mount mounting mounted|"
    "drop dropping dropped|pile piling piled|load loading loaded|get getting got|"
    "pop popping popped|stand standing stood|sit sitting sat|bring bringing brought|"
    "lower lowering lowered|shift shifting shifted|park parking parked|stick sticking stuck"
)
PICK_VERBS = (
    "pick_up picking_up picked_up|grab grabbing grabbed|grasp grasping grasped|take taking taken|"
    "lift lifting lifted|lift_up lifting_up lifted_up|get_hold_of getting_hold_of got_hold_of|"
    "hold holding held|fetch fetching fetched|raise raising raised|grip gripping gripped|"
    "seize seizing seized|pick picking picked|collect collecting collected|"
    "catch_hold_of catching_hold_of caught_hold_of|clutch clutching clutched|get getting got|"
    "snatch snatching snatched|pick_up picking_up picked_up|hold_on_to holding_on_to held_on_to|"
    "secure securing secured|take_hold_of taking_hold_of taken_hold_of|hoist hoisting hoisted"
)
OPEN_VERBS = (
    "open opening opened|pull_open pulling_open pulled_open|open_up opening_up opened_up|"
    "slide_open sliding_open slid_open|open opening opened|pull_out pulling_out pulled_out|"
    "pull pulling pulled|unshut unshutting unshut|draw_out drawing_out drawn_out"
)
CLOSE_VERBS = (
    "close closing closed|shut shutting shut|push_shut pushing_shut pushed_shut|"
    "close_up closing_up closed_up|slide_shut sliding_shut slid_shut|close closing closed|"
    "push_in pushing_in pushed_in|shut shutting shut|slide_in sliding_in slid_in|"
    "push_closed pushing_closed pushed_closed"
)
PRESS_VERBS = (
    "press pressing pressed|push pushing pushed|hit hitting hit|press pressing pressed|"
    "push pushing pushed|tap tapping tapped|press_down pressing_down pressed_down|click clicking "
    "clicked|activate activating activated|trigger triggering triggered|touch touching touched|"
    "press_on pressing_on pressed_on|push_down pushing_down pushed_down|"
    "operate operating operated|ring ringing rung|poke poking poked|actuate actuating actuated"
)
IN_PREP = "(in|in|in|into|into|into|inside|inside of|in to|to|over to|down into|right into)"
ON_PREP = "(on|on|on top of|on top of|onto|onto|on to|atop|above|over|upon|on the top of|right on)"
TABLE_PREP = (
    "(on|on|onto|down on|back on|back onto|on to|back down on|to|back to|over on|on top of)"
)


@dataclass(frozen=True)
class Act:
    """One action and how it may be said."""

    plan: tuple[str, ...]
    order: str
    gerund: str
    perfect: str
    state: str
    """A clause that is true afterwards, without "once" or "when"."""


def forms(acts: Sequence[Act]) -> dict[str, str]:
    """Every grammatical form of some acts, by a bank's slots: ``a``, ``ag``, ``ap``, ``as``, ``b``..."""
    slots: dict[str, str] = {}
    for letter, act in zip("abcd", acts, strict=False):
        slots |= {letter: act.order, f"{letter}g": act.gerund}
        slots |= {f"{letter}p": act.perfect, f"{letter}s": act.state}
    return {slot: text.strip() for slot, text in slots.items()}


OPEN, CLOSED = "ensure_open(drawer)", "ensure_closed(drawer)"


def put_plan(*moves: tuple[str, str]) -> tuple[str, ...]:
    """Plan of moves one after the other; the drawer is opened once, before it is needed."""
    plan: list[str] = []
    for ref, target in moves:
        if target == "drawer" and OPEN not in plan:
            plan.append(OPEN)
        plan.append(f"put({ref},{target})")
    return tuple(plan)


@dataclass(frozen=True)
class Noun:
    """What a move is about."""

    text: str
    ref: str
    """The reference of the plan language."""
    plural: bool = False
    is_pronoun: bool = False

    def pick(self, singular: str, plural: str) -> str:
        """Choose by number."""
        return plural if self.plural else singular


def verb(table: str, rng: random.Random) -> tuple[str, str, str]:
    """Draw base form, gerund and participle."""
    base, gerund, participle = (w.replace("_", " ") for w in rng.choice(table.split("|")).split())
    return base, gerund, participle


def _apply(word: str, noun: str, rng: random.Random, pronoun: bool = False) -> str:
    """Put the object behind a verb, or between it and its particle ("pick it up")."""
    head, _, particle = word.partition(" ")
    if particle in {"up", "open", "out", "shut", "in", "down", "closed"} and (
        pronoun or rng.random() < 0.55
    ):
        return f"{head} {noun} {particle}"
    return f"{word} {noun}"


def cube(color: str, rng: random.Random) -> str:
    """Name one cube by its colour."""
    name = expand(WORDS["colors"][color], rng)
    noun = expand(WORDS["cube"], rng)
    return expand(
        "(the {c} cube|the {c} cube|the {c} cube|the {c} cube|the {c} {n}|the {c} {n}|the {c} {n}|"
        "{c}|{c}|{c} {n}|the {c} one|the {c} one|the {n} that is {c}|"
        "(that|this|your|my|our) {c} {n}|the (small|little|wooden|nice|square|tiny|single|plastic) "
        "{c} {n}|the {n} (which is {c}|in {c}|with the {c} colour|of {c} colour)|a {c} {n}|"
        "the {c}-colored {n}|the {c} coloured {n}|the {n} colored {c})",
        rng,
        {"c": name, "n": noun},
    )


def cube_noun(rng: random.Random, color: str | None = None) -> Noun:
    """A cube by colour as a noun."""
    color = color or rng.choice(COLORS)
    return Noun(cube(color, rng), f"{color}_cube")


def join(parts: list[str], rng: random.Random) -> str:
    """Write an enumeration."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        form = rng.choice(
            ("{0} and {1}",) * 5
            + (
                "both {0} and {1}",
                "{0} as well as {1}",
                "{0} & {1}",
                "{0} plus {1}",
                "{0} and also {1}",
                "{0} and then {1}",
                "{0} together with {1}",
            )
        )
        return form.format(*parts)
    last = rng.choice((" and ", ", and ", " and ", ", ", " and then "))
    return ", ".join(parts[:-1]) + last + parts[-1]


def several(colors: Sequence[str], rng: random.Random) -> str:
    """Name two or more cubes, sometimes with one shared noun ("the red and the blue cube")."""
    names = [expand(WORDS["colors"][c], rng) for c in colors]
    noun, nouns = expand(WORDS["cube"], rng), expand(WORDS["cubes"], rng)
    form = rng.random()
    if form < 0.35:
        return join([cube(c, rng) for c in colors], rng)
    if form < 0.55:
        return "the " + join(names, rng).replace("both ", "") + " " + rng.choice((noun, nouns))
    if form < 0.75:
        return (
            join([f"the {n}" for n in names], rng) + " " + rng.choice((noun, nouns, "one", "ones"))
        )
    if form < 0.9:
        return join(names, rng)
    return f"the {nouns} " + rng.choice(("", "that are ", "coloured ", "in ")) + join(names, rng)


def move(noun: Noun, place: str, rng: random.Random, ensure: bool = True) -> Act:
    """Bring a noun to a container, the table, or onto a cube (place is a plan reference)."""
    is_cube = place.endswith("_cube")
    if is_cube:
        target, prep, table = cube(place.removesuffix("_cube"), rng), expand(ON_PREP, rng), ON_VERBS
    elif place == "table":
        target, prep, table = (
            expand(WORDS["places"]["table"], rng),
            expand(TABLE_PREP, rng),
            ON_VERBS,
        )
    elif place == "top":
        target = expand(
            "the (tower|stack|pile|top of the (tower|stack|pile)|(highest|topmost|top) (cube|block))",
            rng,
        )
        prep, table = expand("(on|on top of|onto)", rng), ON_VERBS
    else:
        target, prep, table = expand(WORDS["places"][place], rng), expand(IN_PREP, rng), IN_VERBS
    plan: tuple[str, ...] = (f"put({noun.ref},{place})",)
    if place == "drawer" and ensure:
        plan = (OPEN, *plan)
    base, gerund, participle = verb(table, rng)
    x = noun.text
    it = noun.pick("it", "them")
    form = rng.random()
    if form < 0.72 or noun.is_pronoun:
        return Act(
            plan,
            f"{base} {x} {prep} {target}",
            f"{gerund} {x} {prep} {target}",
            f"{participle} {x} {prep} {target}",
            _state(noun, prep, target, participle, rng),
        )
    pick, picking, picked = verb(PICK_VERBS, rng)
    and_ = rng.choice((" and ", " and ", ", ", " and then ", ", then "))
    return Act(
        plan,
        f"{_apply(pick, x, rng)}{and_}{base} {it} {prep} {target}",
        f"{_apply(picking, x, rng)} and {gerund} {it} {prep} {target}",
        f"{_apply(picked, x, rng)} and {participle} {it} {prep} {target}",
        _state(noun, prep, target, participle, rng),
    )


def _state(noun: Noun, prep: str, target: str, participle: str, rng: random.Random) -> str:
    where = {
        "into": "in",
        "in to": "in",
        "to": "in",
        "over to": "in",
        "onto": "on",
        "on to": "on",
        "down into": "in",
        "right into": "in",
        "back onto": "back on",
        "back to": "back on",
    }
    be = expand(
        noun.pick(
            "(is|is|lies|sits|has been {p}|rests|is lying|was {p}|has landed)",
            "(are|are|lie|sit|have been {p}|rest|are lying|were {p}|have landed)",
        ),
        rng,
        {"p": participle},
    )
    return f"{noun.text} {be} {where.get(prep, prep)} {target}"


def hold(noun: Noun, rng: random.Random) -> Act:
    """Pick something up and keep it."""
    base, gerund, participle = verb(PICK_VERBS, rng)
    tail = expand(
        "(|||||||in your (gripper|hand)|with (the|your) gripper|(off|from) the table| and hold it|"
        "and keep (holding it|it)|in the air|high up|for me|and lift it|into the air|"
        "and hold it (up|in the air)|and don't let go|with your (hand|fingers|arm)|from there)",
        rng,
    )
    if tail.startswith("and ") and noun.plural:
        tail = ""
    return Act(
        (f"hold({noun.ref})",),
        f"{_apply(base, noun.text, rng)} {tail}",
        f"{_apply(gerund, noun.text, rng)} {tail}",
        f"{_apply(participle, noun.text, rng)} {tail}",
        f"{noun.text} {noun.pick('is', 'are')} "
        + expand("(held|in your (hand|gripper)|lifted|up)", rng),
    )


def drawer(opening: bool, rng: random.Random, noun: str = "") -> Act:
    """Open or close the drawer."""
    base, gerund, participle = verb(OPEN_VERBS if opening else CLOSE_VERBS, rng)
    name = noun or expand(WORDS["places"]["drawer"], rng)
    step = OPEN if opening else CLOSED
    pronoun = noun == "it"
    again = expand("(||||||| again| fully| completely| up| all the way| gently)", rng)
    word = "open" if opening else expand("(closed|shut)", rng)
    return Act(
        (step,),
        f"{_apply(base, name, rng, pronoun)} {again}".rstrip(),
        f"{_apply(gerund, name, rng, pronoun)} {again}".rstrip(),
        f"{_apply(participle, name, rng, pronoun)} {again}".rstrip(),
        f"{name} " + expand("(is|is|has been|stands|is again)", rng) + f" {word}",
    )


def press(rng: random.Random) -> Act:
    """Press the button."""
    base, gerund, participle = verb(PRESS_VERBS, rng)
    name = expand(
        "(the button|the button|the button|the button|button|that button|the push button|"
        "the (big|round|red|little) button|the switch|the buzzer|the bell|the knob)",
        rng,
    )
    if rng.random() < 0.06:
        base = expand(
            "(give {n} a (press|tap|shove|little push)|make {n} light up|"
            "turn the lamp on with {n}|use {n}|do a press on {n})",
            rng,
            {"n": name},
        )
        return Act(
            ("press(button)",), base, f"pressing {name}", f"pressed {name}", f"{name} is pressed"
        )
    return Act(
        ("press(button)",),
        _apply(base, name, rng),
        _apply(gerund, name, rng),
        _apply(participle, name, rng),
        f"{name} " + expand("(is|has been|was) ", rng) + participle.split()[0],
    )
