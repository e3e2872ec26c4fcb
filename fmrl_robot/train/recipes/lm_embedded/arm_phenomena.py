"""Instructions for the arm about what models find hard: references, slips, order, exclusion.

Every bank belongs to a rule (arm_rules.py) or is filled with whole acts.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from fmrl_robot.train.recipes.lm_embedded import arm_acts, arm_stories
from fmrl_robot.train.recipes.lm_embedded.arm_acts import CLOSED, OPEN, Act, Noun, forms, put_plan
from fmrl_robot.train.recipes.lm_embedded.arm_rules import PRESS, Rule, but, draw_of, draw_ruled
from fmrl_robot.train.recipes.lm_embedded.banks import (
    TALK_SHARE,
    choose_bank,
    cube,
    place,
    say,
    wrapped,
)
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, Kinds, draw_weighted
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS

_LONGEST = 60
"""Characters of an act that stands in a sequence."""
_UNFIT = ("let's", " and hold", " and keep", "and don't")
"""What keeps an act from having a gerund."""


_REFERENCES: Mapping[str, Rule] = {
    "ref_it": lambda t: put_plan((t.x, t.p)),
    "ref_it_twice": lambda t: put_plan((t.x, t.p), (t.x, t.q)),
    "ref_same_place": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
    "ref_on_it": lambda t: put_plan((t.x, t.p), (t.y, t.x)),
    "ref_on_table_cube": lambda t: put_plan((t.x, t.y), (t.z, t.x)),
    "ref_last_back": lambda t: put_plan((t.x, t.p), (t.y, t.q), (t.y, "table")),
    "ref_first_back": lambda t: put_plan((t.x, t.p), (t.y, t.q), (t.x, "table")),
    "ref_last_hold": lambda t: (*put_plan((t.x, t.p), (t.y, t.q)), f"hold({t.y})"),
    "ref_put_hold": lambda t: (*put_plan((t.x, t.p)), f"hold({t.x})"),
    "ref_both_move": lambda t: put_plan((t.x, t.p), (t.y, t.p), (t.x, t.q), (t.y, t.q)),
    "ref_both_in": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
    "ref_former_latter": lambda t: put_plan((t.x, t.p), (t.y, t.q)),
    "ref_rest": lambda t: put_plan((t.x, t.p), (but("all", t.x), t.q)),
    "ref_rest_two": lambda t: put_plan((but("all", t.x, t.y), t.p)),
    "ref_given_with": lambda t: put_plan((t.x, t.p)),
    "ref_other_in": lambda t: put_plan((but(f"in_{t.p}", t.x), t.q)),
    "ref_table_rest": lambda t: put_plan((but("on_table", t.x), t.p)),
    "ref_top_in": lambda t: put_plan(("each(top)", t.p)),
    "ref_top_hold": lambda t: ("hold(each(top))",),
    "ref_under_in": lambda t: put_plan((f"each(under_{t.y})", t.p)),
    "ref_on_in": lambda t: put_plan((f"each(on_{t.y})", t.p)),
    "ref_on_table": lambda t: put_plan((f"each(on_{t.y})", "table")),
    "ref_drawer_out": lambda t: (OPEN, f"put(each(in_drawer),{t.p})"),
    "ref_drawer_out_close": lambda t: (OPEN, f"put(each(in_drawer),{t.p})", CLOSED),
    "ref_held_in": lambda t: put_plan(("held", t.p)),
    "ref_held_table": lambda t: put_plan(("held", "table")),
    "ref_held_on": lambda t: put_plan(("held", t.y)),
    "ref_held_then": lambda t: (*put_plan(("held", t.p)), f"hold({t.y})"),
    "ref_replace": lambda t: put_plan((t.x, "table"), (t.y, t.p)),
    "ref_to_top": lambda t: put_plan((t.x, "top")),
    "ref_in_press": lambda t: (*put_plan((t.x, t.p)), PRESS),
    "ref_then_table": lambda t: (*put_plan((t.x, t.p)), PRESS, f"put({t.x},table)"),
}

_SLIPS: Mapping[str, Rule] = {
    "slip_cube": lambda t: put_plan((t.x, t.p)),
    "slip_place": lambda t: put_plan((t.x, t.p)),
    "slip_stack": lambda t: put_plan((t.x, t.y)),
    "slip_mover": lambda t: put_plan((t.x, t.y)),
    "slip_both": lambda t: put_plan((t.x, t.p)),
    "slip_exchange": lambda t: put_plan((t.x, t.q), (t.y, t.p)),
    "slip_hold": lambda t: (f"hold({t.x})",),
    "slip_hold_put": lambda t: put_plan((t.x, t.p)),
    "slip_put_hold": lambda t: (f"hold({t.x})",),
    "slip_open": lambda t: (OPEN,),
    "slip_close": lambda t: (CLOSED,),
    "slip_only_one": lambda t: put_plan((t.x, t.p)),
    "slip_all": lambda t: put_plan(("each(all)", t.p)),
    "slip_all_but": lambda t: put_plan((but("all", t.x), t.p)),
    "slip_add": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
    "slip_pair": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
}

_ORDER: Mapping[str, Rule] = {
    "order_drawer_in": lambda t: (OPEN, f"put({t.x},drawer)"),
    "order_drawer_all": lambda t: (OPEN, f"put({t.x},drawer)", CLOSED),
}

_EXCLUSION: Mapping[str, Rule] = {
    "neg_except": lambda t: put_plan((but("all", t.x), t.p)),
    "neg_except_table": lambda t: put_plan((but("all", t.x), "table")),
    "neg_table_but": lambda t: put_plan((but("on_table", t.x), t.p)),
    "neg_except_two": lambda t: put_plan((but("all", t.x, t.y), t.p)),
    "neg_contents": lambda t: put_plan((but(f"in_{t.p}", t.x), t.q)),
    "neg_place": lambda t: put_plan((t.x, t.p)),
    "neg_cube": lambda t: put_plan((t.x, t.p)),
    "neg_only": lambda t: put_plan((t.x, t.p)),
    "neg_double": lambda t: put_plan((t.x, t.p)),
    "neg_drawer_shut": lambda t: put_plan((t.x, t.p)),
    "neg_no_close": lambda t: put_plan((t.x, "drawer")),
    "neg_hold": lambda t: (f"hold({t.x})",),
    "neg_stack": lambda t: put_plan((t.x, t.y)),
    "neg_neither": lambda t: put_plan((t.x, t.p)),
    "neg_not_both": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
    "neg_not_two": lambda t: put_plan((but("all", t.x, t.y), t.p)),
    "neg_but_there": lambda t: put_plan((but("all", t.x), t.p), (t.x, t.q)),
    "neg_but_hold": lambda t: (*put_plan((but("all", t.x, t.y), t.p)), f"hold({t.y})"),
    "neg_none_but": lambda t: put_plan((t.x, t.p)),
    "neg_none_but_on": lambda t: put_plan((t.x, t.y)),
    "neg_fine_there": lambda t: put_plan((t.x, t.q)),
    "neg_not_open": lambda t: (OPEN, f"put({t.x},drawer)", CLOSED),
    "neg_unneeded": lambda t: put_plan((t.x, t.p), (t.y, t.p)),
}

_NEAR: Mapping[str, Rule] = {
    "near_chat": lambda t: put_plan((t.x, t.p)),
    "near_missing": lambda t: put_plan((t.x, t.p)),
    "near_place": lambda t: put_plan((t.x, t.p)),
    "near_table": lambda t: put_plan(("each(on_table)", t.p)),
    "near_drawer_open": lambda t: (OPEN,),
    "near_drawer_close": lambda t: (CLOSED,),
    "near_press": lambda t: (PRESS,),
    "near_hold": lambda t: (f"hold({t.x})",),
    "near_stack": lambda t: put_plan((t.x, t.y)),
}

_UNKNOWN = ("alien_whole", "alien_in", "alien_with", "alien_hold", "alien_on", "alien_place")


def _acts(
    count: int, rng: random.Random, avoid: tuple[str, ...] = (), longest: int = _LONGEST
) -> list[Act]:
    """Different short acts in the imperative; only the last may keep a cube in the hand."""
    found: list[Act] = []
    while len(found) < count:
        act = _act(rng, last=len(found) == count - 1)
        plan = set(act.plan)
        used = {step for other in found for step in other.plan}
        named = any(a in step for a in avoid for step in act.plan)
        if (
            named
            or plan & used
            or len(act.order) > longest
            or any(words in act.order for words in _UNFIT)
        ):
            continue
        found.append(act)
    return found


def _act(rng: random.Random, last: bool) -> Act:
    kind = rng.choices(("in", "on", "drawer", "press", "there", "hold"), (8, 4, 3, 2, 2, 2 * last))
    color, other = rng.sample(COLORS, 2)
    noun = Noun(cube(color, rng), f"{color}_cube")
    match kind[0]:
        case "in":
            return arm_acts.move(noun, rng.choice((*CONTAINERS, "table")), rng)
        case "on":
            return arm_acts.move(noun, f"{other}_cube", rng)
        case "drawer":
            return arm_acts.drawer(rng.random() < 0.5, rng)
        case "press":
            return arm_acts.press(rng)
        case "there":
            source, target = rng.sample(CONTAINERS, 2)
            there = Noun(say("located_noun", rng, p=place(source, rng)), f"each(in_{source})")
            return arm_acts.move(there, target, rng)
        case _:
            return arm_acts.hold(noun, rng)


def _plan(*acts: Act) -> tuple[str, ...]:
    """Plan of acts one after the other; an open drawer is not opened again."""
    plan: list[str] = []
    drawer = ""
    for step in (s for act in acts for s in act.plan):
        if step == OPEN and drawer == OPEN:
            continue
        drawer = step if step in (OPEN, CLOSED) else drawer
        plan.append(step)
    return tuple(plan)


def references(rng: random.Random) -> Example:
    """Things named by pronoun, by order of mention or by where they are."""
    return draw_of(_REFERENCES, rng)


def slips(rng: random.Random) -> Example:
    """A speaker who changes cube, place, action or the number of steps while speaking."""
    acts = ("slip_act", "slip_cancel", "slip_cancel_first", "slip_order", "slip_tower")
    name = choose_bank((*_SLIPS, *acts), rng)
    if name == "slip_tower":
        colors = rng.sample(COLORS, 3)
        slots = dict(zip("abc", (cube(c, rng) for c in colors), strict=True))
        return say(name, rng, **slots), (f"stack({','.join(f'{c}_cube' for c in colors)})",)
    if name in acts:
        wanted, other = _acts(2, rng)
        plan = _plan(wanted, other) if name == "slip_order" else wanted.plan
        return say(name, rng, **forms([wanted, other])), plan
    return draw_ruled(name, _SLIPS[name], rng)


def order(rng: random.Random) -> Example:
    """Two to four steps, often said in another order than they are done in."""
    press = ("order_press_first", "order_press_last", "order_press_between")
    whole = ("order2", "order_not_before", "order3", "order3", "order4", "order4")
    name = choose_bank((*_ORDER, *press, *whole), rng)
    if name in _ORDER:
        return draw_ruled(name, _ORDER[name], rng)
    if name in press:
        acts = _acts(2, rng, avoid=(PRESS,))
        text = say(name, rng, **forms(acts))
        if name == "order_press_first":
            # The bank has no second act; hold() must not come before the button.
            return text, (PRESS, *acts[0].plan)
        rest = acts[1].plan if name == "order_press_between" else ()
        return text, (*acts[0].plan, PRESS, *rest)
    count = 2 if name == "order_not_before" else int(name[-1])
    acts = _acts(count, rng, longest=_LONGEST if count < 4 else 42)
    return say(name, rng, **forms(acts)), _plan(*acts)


def exclusion(rng: random.Random) -> Example:
    """What shall stay, what is not meant, what shall not be done."""
    acts = ("neg_leave", "neg_no_press", "neg_act", "neg_open_nothing")
    name = choose_bank((*_EXCLUSION, *acts), rng)
    if name == "neg_leave":
        color = rng.choice(COLORS)
        (act,) = _acts(1, rng, avoid=(color, "each("))
        return say(name, rng, y=cube(color, rng), **forms([act])), act.plan
    if name == "neg_no_press":
        (act,) = _acts(1, rng, avoid=(PRESS,))
        return say(name, rng, **forms([act])), act.plan
    if name == "neg_open_nothing":
        (act,) = _acts(1, rng, avoid=("drawer",))
        return say(name, rng, **forms([act, act])), (OPEN, *act.plan)
    if name == "neg_act":
        wanted, other = _acts(2, rng, avoid=("each(",))
        return say(name, rng, **forms([wanted, other])), wanted.plan
    return draw_ruled(name, _EXCLUSION[name], rng)


def _thing(rng: random.Random) -> str:
    """Something that is not there."""
    chance = rng.random()
    if chance < 0.6:
        return say("alien_noun", rng)
    if chance < 0.8:
        return say("unknown_thing", rng)
    return (
        f"the {say('unknown_color', rng)} {rng.choice(('cube', 'cube', 'block', 'one', 'brick'))}"
    )


def _nowhere(rng: random.Random) -> str:
    return say(rng.choice(("alien_place_noun", "unknown_place")), rng)


def _refused(rng: random.Random) -> Example:
    name = choose_bank((*_UNKNOWN, "alien_after", "alien_act"), rng)
    if name in ("alien_in", "alien_hold", "alien_on", "alien_with") and rng.random() < 0.2:
        name = "alien_after"
    (act,) = _acts(1, rng)
    further = {"t": _thing(rng), **forms([act])}
    if name == "alien_place":
        further["q"] = _nowhere(rng)
    reason = "impossible" if name == "alien_act" else "unknown"
    return draw_ruled(name, lambda t: (f"refuse({reason})",), rng, **further)


def _likeness(rng: random.Random) -> Example:
    """A cube by what it looks like, so that the thing named is not the thing meant."""
    color, base = rng.sample(COLORS, 2)
    target = rng.choice(CONTAINERS)
    x, ref = say(f"like_{color}", rng), f"{color}_cube"
    match rng.choices(("move_in", "stack", "hold", "to_table"), (4, 2, 2, 1))[0]:
        case "move_in":
            return say("move_in", rng, x=x, p=place(target, rng)), put_plan((ref, target))
        case "stack":
            return say("stack", rng, x=x, y=cube(base, rng)), put_plan((ref, f"{base}_cube"))
        case "hold":
            return say("hold", rng, x=x), (f"hold({ref})",)
        case _:
            return say("to_table", rng, x=x), put_plan((ref, "table"))


def _near(rng: random.Random) -> Example:
    """Sentences that name ordinary things, yet ask for what can be done."""
    if rng.random() < 0.2:
        return _likeness(rng)
    name = choose_bank(_NEAR, rng)
    further = {"t": _thing(rng)} if name == "near_missing" else {}
    if name != "near_place":
        return draw_ruled(name, _NEAR[name], rng, **further)
    return draw_ruled(name, _NEAR[name], rng, q=_nowhere(rng))


def strangers(rng: random.Random) -> Example:
    """Things, places and actions that are not there, and as often only talk of them."""
    return _refused(rng) if rng.random() < 0.5 else _near(rng)


_KINDS: Kinds[Example] = (
    (44, references),
    (18, slips),
    (24, order),
    (26, exclusion),
    (22, strangers),
    (40, arm_stories.relations),
    (48, arm_stories.stories),
)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    text, plan = draw_weighted(_KINDS, rng)
    return wrapped(text, "arm", rng, TALK_SHARE), plan
