"""Acts of the arm that take more than one verb: drawers, towers, clearing, taking out."""

from __future__ import annotations

import random
from itertools import pairwise

from fmrl_robot.train.recipes.lm_embedded import scene_nouns
from fmrl_robot.train.recipes.lm_embedded.arm_acts import (
    Act,
    Noun,
    cube,
    cube_noun,
    drawer,
    hold,
    join,
    move,
    several,
)
from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import COLORS, CONTAINERS, WORDS


def group_move(rng: random.Random) -> Act:
    """Several named cubes to one container."""
    colors = rng.sample(COLORS, rng.choice((2, 2, 3)))
    place = rng.choice((*CONTAINERS, "table"))
    act = move(Noun(several(colors, rng), "?", plural=True), place, rng)
    puts = tuple(f"put({c}_cube,{place})" for c in colors)
    return Act(act.plan[:-1] + puts, act.order, act.gerund, act.perfect, act.state)


def drawer_act(rng: random.Random) -> Act:
    """Use the drawer: open, close, or put something in and close it."""
    form = rng.random()
    if form < 0.45:
        return drawer(rng.random() < 0.5, rng)
    many = rng.random() < 0.3
    inner = group_move(rng) if many else move(cube_noun(rng), "drawer", rng)
    if many:
        inner = Act(
            tuple(
                s.rsplit(",", 1)[0] + ",drawer)" if s.startswith("put") else s for s in inner.plan
            ),
            *(getattr(inner, f) for f in ("order", "gerund", "perfect", "state")),
        )
        colors = rng.sample(COLORS, 2)
        noun = Noun(several(colors, rng), "?", plural=True)
        shape = move(noun, "drawer", rng)
        puts = tuple(f"put({c}_cube,drawer)" for c in colors)
        inner = Act(
            ("ensure_open(drawer)", *puts), shape.order, shape.gerund, shape.perfect, shape.state
        )
    if form < 0.8:
        close = drawer(False, rng, rng.choice(("it", "it", "it", "the drawer", "the drawer again")))
        link = rng.choice(
            (
                " and ",
                " and then ",
                ", then ",
                ", ",
                " and afterwards ",
                ", and finally ",
                ", after that ",
                " and ",
            )
        )
        after = rng.choice(
            ("", "", "", " afterwards", " again", " after that", " behind it", " when done")
        )
        return Act(
            (*inner.plan, *close.plan),
            inner.order + link + close.order + after,
            inner.gerund + " and " + close.gerund,
            inner.perfect + " and " + close.perfect,
            inner.state + " and the drawer is closed",
        )
    opened = drawer(True, rng)
    word = rng.choice(("in", "inside", "into it", "in it", "inside it", "in there"))
    noun = cube_noun(rng)
    base = expand("(put|drop|place|lay|toss|throw|stick)", rng)
    order = f"{opened.order}{rng.choice((' and ', ', ', ', then ', ' and then '))}{base} {noun.text} {word}"
    plan = ("ensure_open(drawer)", f"put({noun.ref},drawer)")
    if rng.random() < 0.5:
        close = drawer(False, rng, rng.choice(("it", "the drawer", "it again")))
        order += rng.choice((" and ", ", then ", ", and ", " and finally ", ", ")) + close.order
        plan = (*plan, "ensure_closed(drawer)")
    return Act(
        plan,
        order,
        f"storing {noun.text} in the drawer",
        f"stored {noun.text} in the drawer",
        f"{noun.text} is in the drawer",
    )


def take_out(rng: random.Random) -> Act:
    """Bring cubes back to the table without naming it, or by naming it."""
    out = expand(
        "(take out of|take out of|remove from|get out of|fish out of|take from|pull out of|"
        "lift out of|retrieve from|pick out of|extract from|grab out of|fetch out of|bring out of)",
        rng,
    )
    head, _, prep = out.partition(" ")
    place = rng.choice(CONTAINERS)
    name = expand(WORDS["places"][place], rng)
    tail = expand(
        "(|||||| and (put|lay|place|set|leave) {it} (on|back on|down on|onto) the (table|desk)| again|"
        " please| and onto the table)",
        rng,
    )
    form = rng.random()
    if form < 0.45:
        noun = cube_noun(rng)
        text = f"{head} {noun.text} {prep} {name}{' ' + tail.replace('{it}', 'it')}"
    elif form < 0.6:
        noun = Noun(
            expand(
                "(everything|all|all the {s}|the {s}|the {n}|whatever is inside|all {s}|"
                "what is in there|the contents)",
                rng,
                {"n": expand(WORDS["cube"], rng), "s": expand(WORDS["cubes"], rng)},
            ),
            f"each(in_{place})",
        )
        text = f"{head} {noun.text} {prep} {name}{' ' + tail.replace('{it}', 'it')}"
    elif form < 0.75:
        noun = Noun("", f"each(in_{place})")
        text = expand(
            "(empty|empty|clear|clear out|empty out|unload|unpack) {p}( onto the table| completely|||)|"
            "{p} (should|must|has to|ought to) be (empty|cleared|emptied)|make {p} empty|"
            "leave nothing in {p}|turn {p} out( on the table|)|I want {p} (to be |)empty|"
            "make sure (nothing is (left |)in {p}|{p} is empty)",
            rng,
            {"p": name},
        )
    elif form < 0.9:
        noun, other = cube_noun(rng), rng.choice(COLORS)
        text = expand(
            "(take|remove|get|lift|pull|move|pick) {x} (off|from|off of|down from|from on top of) "
            "({y}|{y}|the (stack|tower|pile)) {t}|unstack {x}( from {y}|)|take {x} down( from {y}|)|"
            "{x} should (come|go) (down|off) (from|) {y}|get {x} down",
            rng,
            {"x": noun.text, "y": cube(other, rng), "t": tail.replace("{it}", "it")},
        )
    else:
        noun = cube_noun(rng)
        text = expand(
            "(put|place|set|lay|return|bring) {x} (back |)(on|onto|down on|to) the (table|desk|surface)|"
            "(put|set|lay) {x} down(, on the table|)|{x} (should|must|can) (not be|no longer be|stay no longer) in {p}"
            "(, (put|lay|place) it (back |)on the table|, take it out|)|{x} (does not|doesn't) belong in {p}"
            "(, (take it out|put it on the table|put it back on the table)|)|{x} (out of|out from) {p}( please|)|"
            "free {x} from {p}",
            rng,
            {"x": noun.text, "p": name},
        )
    return Act(
        (f"put({noun.ref},table)",),
        text,
        f"taking {noun.text or 'everything'} {prep} {name}",
        f"taken {noun.text or 'everything'} {prep} {name}",
        f"{noun.text or 'everything'} is {'off' if prep == 'from' else 'out of'} {name}",
    )


def tower(rng: random.Random) -> Act:
    """Name a stack of two to four cubes, by layers or by relations."""
    colors = rng.sample(COLORS, rng.choice((2, 3, 3, 3, 3, 4)))
    plan = (f"stack({','.join(f'{c}_cube' for c in colors)})",)
    up = [cube(c, rng) for c in colors]
    if rng.random() < 0.4:
        up = [expand(WORDS["colors"][c], rng) for c in colors]
    down = up[::-1]
    make = expand(
        "(build|make|construct|create|form|erect|stack|assemble|build me|give me|i want|i need|"
        "set up|pile up|put up|we need|let me see|arrange)",
        rng,
    )
    what = expand(
        "(a (tower|tower|stack|pile|column|little tower|tall tower|tower of (blocks|cubes))|"
        "a {n}-(block|cube|storey|high) (tower|stack)|a (tower|stack|pile) of {n}( (cubes|blocks)|))",
        rng,
        {"n": ("two", "three", "four")[len(colors) - 2]},
    )
    go = expand("(:|,| with| -|: first|, namely| consisting of| like this:|, starting with)", rng)
    chain = rng.choice((", ", ", then ", ", ", " then ", ", and then ", " - "))
    form = rng.randrange(8 if len(colors) > 2 else 6)
    if form == 0:
        body = f"{make} {what}{go} {up[0]} " + expand(
            "(at|on|as) the (bottom|base)|first|below", rng
        )
        body += (
            chain + chain.join(up[1:]) + rng.choice((" on top", "", " at the top", " on the top"))
        )
    elif form == 1:
        order = expand(
            "from (the |)bottom to (the |)top|bottom to top|from the bottom up|bottom up|"
            "bottom first|in this order from below|starting (at|from) the bottom",
            rng,
        )
        body = rng.choice(
            (
                f"{make} {what}, {order}{rng.choice((' ', ': '))}{', '.join(up)}",
                f"{make} {what} {order}: {join(up, rng)}",
                f"stack {', '.join(up[:-1])} and {up[-1]} {order}",
                f"{order}, {make} {what} of {join(up, rng)}",
            )
        )
    elif form == 2:
        order = expand(
            "from (the |)top to (the |)bottom|top to bottom|from the top down|top down|"
            "(starting|beginning) (at|from) the top|top first",
            rng,
        )
        body = f"{make} {what}, {order}{rng.choice((' ', ': ', ', '))}{', '.join(down)}"
    elif form == 3:
        on = expand("(on|on top of|above|over|atop)", rng)
        links = [f"{b} {on} {a}" for a, b in pairwise(up)]
        if rng.random() < 0.5:
            links.reverse()
        body = f"{make} {what} " + expand("(with|where|in which|so that|such that)", rng)
        be = rng.choice((" ", " is ", " goes ", " sits ", " ")) if "with" not in body else " "
        body += " " + join([b.replace(f" {on} ", f"{be}{on} ", 1) for b in links], rng).replace(
            "both ", ""
        )
    elif form == 4:
        middle = f", {join(up[1:-1], rng)} in (the|) middle" if len(up) > 2 else ""
        bottom = expand(
            "(at|on|as|for) the (bottom|base|lowest layer)|below|underneath|lowest", rng
        )
        parts = [
            f"{up[0]} {bottom}",
            f"{up[-1]} " + expand("(on|at) (the |)top|uppermost|highest|topmost", rng),
        ]
        if middle:
            parts.insert(1, expand(middle[2:], rng))
        if rng.random() < 0.4:
            parts.reverse()
        body = f"{make} {what} with {join(parts, rng).replace('both ', '')}"
    elif form == 5:
        body = expand(
            "(use|take|start with|begin with) {a} (as (the|a) (base|bottom|foundation)|at the bottom|first) "
            "and (stack|put|place|set|pile) {b} (on it|on top|on top of it|onto it|above it)",
            rng,
            {"a": up[0], "b": " and then ".join(up[1:])},
        )
    elif form == 6:
        verb_ = expand("(stack|put|place|set|pile)", rng)
        parts = [f"{b} {expand('(on|on top of|onto)', rng)} {a}" for a, b in pairwise(up)]
        link = expand("(, then | and | and then |, |, after that |. Then )", rng)
        again = verb_ + " " if rng.random() < 0.5 or link.startswith(".") else ""
        body = f"{verb_} {parts[0]}" + "".join(link + again + p for p in parts[1:])
    else:
        body = f"stack {down[0]} on {down[1]}" + "".join(f" on {d}" for d in down[2:])
    return Act(
        plan,
        body,
        f"stacking {join(down, rng)}",
        f"stacked {' on '.join(down)}",
        f"{' is on '.join(down)}",
    )


def scene_move(rng: random.Random) -> Act:
    """Move something the scene has to resolve."""
    noun = scene_nouns.scene_noun(rng)
    if rng.random() < 0.07:
        return hold(Noun(noun.text, noun.ref), rng)
    place = rng.choice(
        ("bowl", "bin", "drawer", "bowl", "bin", "table", *(f"{c}_cube" for c in COLORS), "top")
    )
    if noun.plural and (place.endswith("_cube") or place == "top"):
        place = rng.choice(CONTAINERS)
    if place.endswith("_cube") and place in noun.ref:
        place = "table"
    if (
        noun.ref in ("each(in_bowl)", "each(in_bin)", "each(in_drawer)", "each(on_table)")
        and place in noun.ref
    ):
        place = "bowl" if place != "bowl" else "bin"
    if place == "top" and noun.ref == "each(top)":
        place = "bin"
    return move(noun, place, rng)


def tidy(rng: random.Random) -> Act:
    """Clean-up talk: clear, empty into, take apart."""
    place = rng.choice(CONTAINERS)
    p = expand(WORDS["places"][place], rng)
    prep = expand("(in|into|inside)", rng)
    form = rng.randrange(5)
    opening = ("ensure_open(drawer)",) if place == "drawer" else ()
    if form == 0:
        text = expand(
            "(clear|clean|tidy|clean up|tidy up|empty|clear off) the (table|desk|tabletop|workspace)(,|:| and| by) "
            "((put|putting|place|move|throw) |)(everything|all {s}|all the {s}|the {s}|it all|all of it) "
            "((goes|go) |){in} {p}|(clean up|tidy up)( the table|) {in} {p}|clear the table {in} {p}",
            rng,
            {"s": expand(WORDS["cubes"], rng), "in": prep, "p": p},
        )
        return Act(
            (*opening, f"put(each(on_table),{place})"),
            text,
            f"clearing the table {prep} {p}",
            f"cleared the table {prep} {p}",
            "the table is clear",
        )
    if form == 1:
        text = expand(
            "(tidy up|clean up|cleaning time|time to clean up|make order|let's tidy up)(:|,| -|.) "
            "(every {n}|all {s}|all the {s}|everything|each {n}|the {s}) (goes|go|must go|belongs|should be|should go) {in} {p}",
            rng,
            {"s": expand(WORDS["cubes"], rng), "n": expand(WORDS["cube"], rng), "in": prep, "p": p},
        )
        return Act(
            (*opening, f"put(each(all),{place})"),
            text,
            f"putting everything {prep} {p}",
            f"put everything {prep} {p}",
            f"everything is {prep} {p}",
        )
    if form == 2:
        source = rng.choice([c for c in CONTAINERS if c != place])
        q = expand(WORDS["places"][source], rng)
        text = expand(
            "(empty|dump|tip|turn out|unload|clear|pour out|pour|shake out) {q} (in|into|out into|over into) {p}|"
            "(transfer|move|shift) (the contents of|what is in|everything from) {q} (to|into) {p}|"
            "{p} (gets|receives|should get|shall hold) (everything|what is|whatever is) (in|from|inside) {q}",
            rng,
            {"q": q, "p": p},
        ).replace("from in ", "from ")
        return Act(
            (*opening, f"put(each(in_{source}),{place})"),
            text,
            f"emptying {q} into {p}",
            f"emptied {q} into {p}",
            f"{q} is empty",
        )
    if form == 3:
        text = expand(
            "(take|pull|tear|bring) the (tower|stack|pile) (apart|down)|(unstack|destack|dismantle|disassemble|take apart|"
            "flatten|undo|break down|deconstruct) the (tower|stack|pile|{s})|unstack (everything|all (the |){s})|"
            "(no {n} should|nothing should) (be|sit|lie|rest) on (top of |)another( {n}|)|spread the (stack|tower|pile) out( on the table|)",
            rng,
            {"s": expand(WORDS["cubes"], rng), "n": expand(WORDS["cube"], rng)},
        )
        text += " " + expand(
            "(||||| and (leave|put|lay|place|set) (all |)(the |)(cubes|blocks|pieces|them|everything) on the table| on the table)",
            rng,
        )
        return Act(
            ("put(each(stacked),table)",),
            text,
            "taking the tower apart",
            "taken the tower apart",
            "the tower is taken apart",
        )
    text = expand(
        "(put|place|lay|spread|get|bring|return) (everything|all (the |)({s}|of them)|every {n}|each {n}|the {s}) (back |out |)(on|onto) the (table|desk)|"
        "(everything|all (the |){s}|every {n}) (back |should be |belongs |must be |goes )(on|onto) the table",
        rng,
        {"s": expand(WORDS["cubes"], rng), "n": expand(WORDS["cube"], rng)},
    )
    return Act(
        ("put(each(all),table)",),
        text,
        "putting everything on the table",
        "put everything on the table",
        "everything is on the table",
    )
