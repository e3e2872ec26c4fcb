"""Instructions for the arm from the banks of whole phrases."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded import arm_acts, scene_nouns
from fmrl_robot.train.recipes.lm_embedded.arm_acts import CLOSED, OPEN, Act, Noun, put_plan
from fmrl_robot.train.recipes.lm_embedded.arm_tasks import drawer_act, group_move, take_out, tower
from fmrl_robot.train.recipes.lm_embedded.banks import banks, cube, place, say, wrapped
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, Kinds, draw_weighted, expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS


def noun(rng: random.Random) -> Noun:
    """Something to move: mostly a cube by colour, else by where it is."""
    chance = rng.random()
    if chance < 0.78:
        return _by_color(rng)
    if chance < 0.86:
        where = rng.choice(CONTAINERS)
        return Noun(say("located_noun", rng, p=place(where, rng)), f"each(in_{where})")
    if chance < 0.92:
        color = rng.choice(COLORS)
        bank, word = rng.choice((("on_noun", "on"), ("under_noun", "under")))
        return Noun(say(bank, rng, y=cube(color, rng)), f"each({word}_{color}_cube)")
    if chance < 0.95:
        return Noun(say("top_noun", rng), "each(top)")
    if chance < 0.98:
        return Noun(say("held_noun", rng), "held")
    return scene_nouns.scene_noun(rng)


def _apart(item: Noun) -> list[str]:
    return [c for c in COLORS if c not in item.ref]


def _elsewhere(item: Noun) -> list[str]:
    return [p for p in CONTAINERS if p not in item.ref]


def _move_in(rng: random.Random) -> Example:
    item = noun(rng)
    target = rng.choice(_elsewhere(item))
    return say("move_in", rng, x=item.text, p=place(target, rng)), put_plan((item.ref, target))


def _move_out(rng: random.Random) -> Example:
    color = rng.choice(COLORS)
    source, target = rng.sample(CONTAINERS, 2)
    text = say("move_out", rng, x=cube(color, rng), p=place(source, rng), q=place(target, rng))
    return text, put_plan((f"{color}_cube", target))


def _to_table(rng: random.Random) -> Example:
    item = noun(rng)
    return say("to_table", rng, x=item.text), put_plan((item.ref, "table"))


def _stack(rng: random.Random) -> Example:
    item = noun(rng)
    color = rng.choice(_apart(item))
    return say("stack", rng, x=item.text, y=cube(color, rng)), put_plan((item.ref, f"{color}_cube"))


def _tower(rng: random.Random) -> Example:
    count = rng.choice((3, 3, 3, 4))
    colors = rng.sample(COLORS, count)
    slots = dict(zip("abcd", (cube(c, rng) for c in colors), strict=False))
    if rng.random() < 0.3:
        slots = dict(zip("abcd", colors, strict=False))
    return say(f"tower{count}", rng, **slots), (f"stack({','.join(f'{c}_cube' for c in colors)})",)


def _two_in(rng: random.Random) -> Example:
    (a, b), target = rng.sample(COLORS, 2), rng.choice(CONTAINERS)
    text = say("two_in", rng, x=cube(a, rng), y=cube(b, rng), p=place(target, rng))
    return text, put_plan((f"{a}_cube", target), (f"{b}_cube", target))


def _swap_free(rng: random.Random) -> Example:
    a, b = rng.sample(COLORS, 2)
    p, q = rng.sample(CONTAINERS, 2)
    text = say("swap_free", rng, x=cube(a, rng), p=place(p, rng), y=cube(b, rng), q=place(q, rng))
    return text, put_plan((f"{a}_cube", p), (f"{b}_cube", q))


def _hold(rng: random.Random) -> Example:
    item = noun(rng)
    while item.ref == "held" or item.plural:
        item = noun(rng)
    return say("hold", rng, x=item.text), (f"hold({item.ref})",)


def _drawer(rng: random.Random) -> Example:
    bank, step = rng.choice((("open_drawer", OPEN), ("close_drawer", CLOSED)))
    return say(bank, rng), (step,)


def _drawer_and_cube(rng: random.Random) -> Example:
    item = noun(rng)
    while "drawer" in item.ref:
        item = noun(rng)
    bank, after = rng.choice(
        (("open_then_in", ()), ("in_then_close", (CLOSED,)), ("keep_open", ()))
    )
    return say(bank, rng, x=item.text), (OPEN, f"put({item.ref},drawer)", *after)


def _press(rng: random.Random) -> Example:
    return say("press", rng), ("press(button)",)


def act(rng: random.Random) -> Act:
    """Any single act, in all its grammatical forms and unusual nouns."""
    makers: Kinds[Act] = (
        (6, _act_in),
        (3, _act_on),
        (2, lambda r: arm_acts.hold(_by_color(r), r)),
        (2, lambda r: arm_acts.press(r)),
        (2, drawer_act),
        (1, group_move),
        (1, take_out),
        (1, tower),
    )
    return draw_weighted(makers, rng)


def _by_color(rng: random.Random) -> Noun:
    color = rng.choice(COLORS)
    return Noun(cube(color, rng), f"{color}_cube")


def _act_in(rng: random.Random) -> Act:
    return arm_acts.move(_by_color(rng), rng.choice((*CONTAINERS, "table")), rng)


def _act_on(rng: random.Random) -> Act:
    item = _by_color(rng)
    return arm_acts.move(item, f"{rng.choice(_apart(item))}_cube", rng)


def _sequence(rng: random.Random) -> Example:
    a, b, c = act(rng), act(rng), act(rng)
    bank = rng.choices(
        ("then2", "then2_gerund", "after2_gerund", "after2_state", "then3", "both2"),
        (4, 2, 2, 2, 3, 1.5),
    )[0]
    text = say(
        bank,
        rng,
        **{"a": a.order, "b": b.order, "c": c.order, "ag": a.gerund, "bg": b.gerund, "as": a.state},
    )
    plan = (*a.plan, *b.plan, *c.plan) if bank == "then3" else (*a.plan, *b.plan)
    return text, plan


def _groups(rng: random.Random) -> Example:
    color, target = rng.choice(COLORS), rng.choice(CONTAINERS)
    source = rng.choice([p for p in CONTAINERS if p != target])
    x, p = cube(color, rng), place(target, rng)
    q, bank = (
        place(source, rng),
        rng.choice(
            ("everything_but", "all_in", "table_in", "contents_to", "contents_table", "undo_tower")
        ),
    )
    match bank:
        case "everything_but":
            return say(bank, rng, x=x, p=p), put_plan((f"each(all-{color}_cube)", target))
        case "all_in":
            return say(bank, rng, p=p), put_plan(("each(all)", target))
        case "table_in":
            return say(bank, rng, p=p), put_plan(("each(on_table)", target))
        case "contents_to":
            return say(bank, rng, p=q, q=p), put_plan((f"each(in_{source})", target))
        case "contents_table":
            return say(bank, rng, p=q), put_plan((f"each(in_{source})", "table"))
        case _:
            return say(bank, rng), ("put(each(stacked),table)",)


def _other(rng: random.Random) -> Example:
    item = _by_color(rng)
    first, second = rng.sample(CONTAINERS, 2)
    one = arm_acts.move(item, first, rng)
    text = say("other", rng, a=one.order, p=place(second, rng))
    return text, (*one.plan, *put_plan((f"each(all-{item.ref})", second)))


def _negation(rng: random.Random) -> Example:
    (right, wrong), (p, q) = rng.sample(COLORS, 2), rng.sample(CONTAINERS, 2)
    x, y = cube(right, rng), cube(wrong, rng)
    bank = rng.choice(("not_but", "not_but", "leave", "leave", "place_not", "correct_cube"))
    bank = rng.choice((bank, bank, bank, "correct_place", "correct_stack"))
    if bank == "correct_stack":
        wrong_base = rng.choice([c for c in COLORS if c not in (right, wrong)])
        text = say(bank, rng, x=x, y=y, z=cube(wrong_base, rng))
        return text, put_plan((f"{right}_cube", f"{wrong}_cube"))
    text = say(bank, rng, x=x, y=y, p=place(p, rng), q=place(q, rng))
    return text, put_plan((f"{right}_cube", p))


def _polite(rng: random.Random) -> Example:
    one = act(rng)
    bank, slot, said = rng.choice(
        (
            ("polite", "o", one.order),
            ("polite", "o", one.order),
            ("polite_gerund", "g", one.gerund),
            ("polite_state", "s", one.state),
        )
    )
    return say(bank, rng, **{slot: said}), one.plan


def _strange_cube(rng: random.Random) -> str:
    color = rng.choice(banks()["unknown_color"])
    return say("cube_noun", rng, c=color) if rng.random() < 0.6 else f"the {color} cube"


def _refusal(rng: random.Random) -> Example:
    kind = rng.choices(("unknown", "unsafe", "impossible"), (5, 3, 3))[0]
    color, holder = rng.choice(COLORS), rng.choice(CONTAINERS)
    if kind != "unknown":
        text = say(f"{kind}_arm", rng, x=cube(color, rng), p=place(holder, rng))
        if rng.random() < 0.2:
            other = act(rng).order
            text = (
                say("then2", rng, a=other, b=text)
                if rng.random() < 0.6
                else (say("then2", rng, a=text, b=other))
            )
        return text, (f"refuse({kind})",)
    thing = say("unknown_thing", rng) if rng.random() < 0.6 else _strange_cube(rng)
    known, where = cube(color, rng), place(holder, rng)
    chance = rng.random()
    if chance < 0.3:
        text = say("move_in", rng, x=thing, p=where)
    elif chance < 0.45:
        text = say("move_in", rng, x=known, p=say("unknown_place", rng))
    elif chance < 0.6:
        text = say("hold", rng, x=thing)
    elif chance < 0.7:
        text = say("stack", rng, x=known, y=thing)
    elif chance < 0.8:
        text = say("stack", rng, x=thing, y=known)
    elif chance < 0.85:
        text = say("to_table", rng, x=thing)
    elif chance < 0.9:
        text = say("not_but", rng, x=thing, y=known, p=where)
    elif chance < 0.95:
        text = say("two_in", rng, x=known, y=thing, p=where)
    else:
        text = expand("(open|close|shut|pull open) ", rng) + " " + say("unknown_place", rng)
    if rng.random() < 0.15:
        text = say("then2", rng, a=act(rng).order, b=text)
    return text, ("refuse(unknown)",)


_KINDS: Kinds[Example] = (
    (8, _move_in),
    (2, _move_out),
    (3, _to_table),
    (7, _stack),
    (6, _tower),
    (3, _two_in),
    (3, _swap_free),
    (5, _hold),
    (4, _drawer),
    (4, _drawer_and_cube),
    (3, _press),
    (16, _sequence),
    (7, _groups),
    (3, _other),
    (9, _negation),
    (6, _polite),
    (11, _refusal),
)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    text, plan = draw_weighted(_KINDS, rng)
    return wrapped(text, "arm", rng), plan
