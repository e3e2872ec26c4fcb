"""Segments of locomotion in words: gait, speed, legs, rhythm, duration."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act
from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.quadruped_standing import join_words, leg, maybe_duration
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import (
    AIR,
    AIR_ADJ,
    DIRECTION,
    FAST_ADJ,
    GAITS,
    LEGS,
    PLACE,
    SLOW_ADJ,
    SPEED,
)


def gait(
    rng: random.Random,
    name: str = "",
    velocity: float | None = None,
    mods: str = "",
    extra: str = "",
    adjective: str = "",
) -> Act:
    """One gait with direction and speed; ``extra`` are words for the plan's ``mods``."""
    name = name or rng.choice(("trot", "trot", "pace", "bound", "walk"))
    direction = (
        rng.choice((0, 1, 1, -1, -1)) if velocity is None else (velocity > 0) - (velocity < 0)
    )
    level = rng.choice((1, 1, 2, 2, 0)) if velocity is None else (2 if abs(velocity) == 1 else 1)
    base, gerund, perfect = GAITS[name][0].split()
    bare = direction > 0 and level != 2 and rng.random() < 0.08
    if direction == 0:
        where = expand(PLACE, rng)
        adjective = adjective or (expand("(stationary|)", rng) if rng.random() < 0.1 else "")
        level = 1
        vx = "0"
    else:
        # Without a direction one goes forward.
        where = (
            ""
            if bare or (level == 2 and direction > 0 and rng.random() < 0.12)
            else expand(DIRECTION[direction], rng)
        )
        vx = f"{'-' if direction < 0 else ''}{'1' if level == 2 else '0.5'}"
    how = expand(SPEED[level], rng) if direction and level else ""
    label = "trot" if name == "walk" else name
    time_words, time_mod = maybe_duration(rng)
    plan = (f"{label}({vx}{mods}{time_mod})",)
    tail = [p for p in (where, how, extra) if p]
    if rng.random() < 0.45 and len(tail) > 1:
        rng.shuffle(tail)
    form = rng.random()
    if adjective or (form < 0.3 and name != "walk") or (direction and form < 0.38):
        # The gait as a noun: "go back with a slow bounding gait".
        adj = adjective
        rest = [p for p in tail if p != how]
        if how and rng.random() < 0.5:
            adj = join_words(expand(SLOW_ADJ if level == 1 else FAST_ADJ, rng), adjective)
        elif how:
            rest.append(how)
        noun = expand(GAITS[name][1], rng)[2:]
        article = "an" if adj[:1] in "aeiou" and adj else "a"
        go, going, gone = rng.choice(
            (
                ("move", "moving", "moved"),
                ("go", "going", "gone"),
                ("dash", "dashing", "dashed")
                if level == 2
                else ("proceed", "proceeding", "proceeded"),
                ("do", "doing", "done"),
                ("travel", "travelling", "travelled"),
                ("walk", "walking", "walked"),
                ("come", "coming", "come"),
                ("perform", "performing", "performed"),
                ("show me", "showing", "shown"),
            )
        )
        way = "" if go in ("do", "perform", "show me") else expand("(with|using|in|with|at)", rng)
        if rng.random() < 0.25:
            rest_text = join_words(f"{way} {article} {adj} {noun}", *rest)
        else:
            rest_text = (
                join_words(*rest[:1], f"{way} {article} {adj} {noun}", *rest[1:])
                if way
                else join_words(f"{article} {adj} {noun}", *rest)
            )
        order, ger, perf = (f"{v} {rest_text}" for v in (go, going, gone))
    elif direction == 0 and form < 0.4 and not extra:
        order = expand(
            "(keep|continue|start|stay|remain) {g} {w}|{g} {w}|do some {g} {w}|(stay|remain) {w} (and|while) {g}|"
            "(stay|remain) (where you are|in place) (and|but) {b}|{b} but (stay|remain|keep) (in place|where you are|on the spot)|"
            "I want to see {g} {w}|show me (stationary {g}|{g} {w})|{b}, {w}|stationary {g}",
            rng,
            {"g": gerund, "b": base, "w": where},
        )
        ger, perf = f"{gerund} {where}", f"{perfect} {where}"
    elif direction and form < 0.48 and name == "walk":
        go, going, gone = rng.choice(
            (
                ("go", "going", "gone"),
                ("move", "moving", "moved"),
                ("continue", "continuing", "continued"),
                ("walk", "walking", "walked"),
                ("come", "coming", "come"),
                ("head", "heading", "headed"),
                ("advance", "advancing", "advanced"),
            )
            if direction > 0
            else (
                ("go", "going", "gone"),
                ("move", "moving", "moved"),
                ("back up", "backing up", "backed up"),
                ("reverse", "reversing", "reversed"),
                ("back off", "backing off", "backed off"),
                ("retreat", "retreating", "retreated"),
            )
        )
        if go in ("advance", "back up", "reverse", "back off", "retreat"):
            tail = [p for p in tail if p != where]
        order, ger, perf = (join_words(v, *tail) for v in (go, going, gone))
    else:
        order, ger, perf = (join_words(v, *tail) for v in (base, gerund, perfect))
        if rng.random() < 0.06:
            order = expand(
                "let's see you {g}|let me see you {g}|keep {g}|start {g}|show me how you {b}|I want to see you {b}|begin {g}",
                rng,
                {"g": ger, "b": order},
            )
    if time_words:
        order, ger, perf = (f"{p} {time_words}" for p in (order, ger, perf))
    return Act(plan, order, ger, perf, f"you have {perf}")


def reverse(rng: random.Random) -> Act:
    """Backing up, with the gait said last."""
    level = rng.choice((1, 1, 2))
    name = rng.choice(("trot", "pace", "bound"))
    adj = expand(SLOW_ADJ if level == 1 else FAST_ADJ, rng)
    noun = expand(GAITS[name][1], rng)[2:]
    text = expand(
        "(reverse|back up|back off|retreat|go back|move back|come back|return|walk back) (at|in|with|using) a ({a} {n}|{n}, {s}|{n} {s})|"
        "(reverse|back up|retreat|go back) {s} (in|with|using|at) a {n}",
        rng,
        {"a": adj, "n": noun, "s": expand(SPEED[level], rng)},
    )
    return Act(
        (f"{name}({'-1' if level == 2 else '-0.5'})",),
        text,
        f"backing up at a {adj} {noun}",
        f"backed up at a {adj} {noun}",
        f"you have backed up at a {adj} {noun}",
    )


def run(rng: random.Random) -> Act:
    """Running is fast without saying so."""
    direction = rng.choice((1, 1, -1))
    name = rng.choice(("", "", "trot", "pace", "bound"))
    noun = "" if not name else expand("(with|using|in|at)", rng) + " " + expand(GAITS[name][1], rng)
    where = expand(DIRECTION[direction], rng)
    base, gerund, perfect = rng.choice(
        (
            ("run", "running", "run"),
            ("run", "running", "run"),
            ("sprint", "sprinting", "sprinted"),
            ("rush", "rushing", "rushed"),
            ("dash", "dashing", "dashed"),
            ("race", "racing", "raced"),
            ("hurry", "hurrying", "hurried"),
        )
    )
    time_words, time_mod = maybe_duration(rng)
    rest = join_words(where, noun, time_words)
    plan = (f"{name or 'trot'}({'-' if direction < 0 else ''}1{time_mod})",)
    return Act(
        plan,
        f"{base} {rest}",
        f"{gerund} {rest}",
        f"{perfect} {rest}",
        f"you have {perfect} {rest}",
    )


def three_legs(rng: random.Random) -> Act:
    """Move with one leg held up."""
    name = rng.choice(tuple(LEGS))
    up = leg(name, rng)
    extra = expand(
        "(with|with|keeping|while keeping|while holding|holding|with) {u} (in the air|up|lifted|off the ground|always in the air|raised|off the floor)|"
        "without (using|putting down|touching the ground with|the help of) {u}|on (three|3) legs(,| with| and|, keeping|, with) {u} (up|in the air|lifted|off the ground)|"
        "with (three|3) legs(,| and|, with) {u} (up|in the air|always in the air|lifted)|without {u} touching the (ground|floor)|"
        "but (keep|hold|leave) {u} (up|in the air|off the ground|lifted)|as if {u} (were|was) (hurt|broken|injured)|limping, {u} up|"
        "(and |)never put {u} (down|on the ground|on the floor)|without ever putting {u} (down|on the floor)|while lifting {u}",
        rng,
        {"u": up},
    )
    return gait(
        rng,
        rng.choice(("trot", "walk", "walk")),
        rng.choice((0.5, 0.5, -0.5, 0.0, 1.0)),
        f",up={name}",
        extra,
    )


def faster(rng: random.Random) -> Act:
    """A gait in which one leg steps more often."""
    name = rng.choice(tuple(LEGS))
    extra = expand(
        "(with|with|while|and|, with|where|so that|in which|, and) {u} (moving|moving|stepping|tapping|going|swinging|touching down) (at a higher frequency|at double frequency|twice as fast|twice as often|"
        "with a higher frequency|faster|more often|at twice the rate|with double frequency|more frequently|two times as often|at double the rate|faster than the others|twice per cycle|"
        "at twice the frequency|at higher frequency|more quickly than the (rest|others|other legs)|at a faster rate|with twice the frequency|at double speed)( than the (others|rest|other legs)|||)|"
        "(with|, with|using) (a higher|double|twice the|an increased|a doubled|a faster) (frequency|stepping frequency|step rate|rate|stepping rate) (of|for|in|on) {u}|"
        "(, but|but|and|while you) (move|step with|tap|swing|lift|let) {u} (at double frequency|twice as often|faster|more often|at a higher frequency|twice as fast|more frequently)( than the (others|rest|other legs)| as the others|)|"
        "(where|in which|so that|, and|but) {u} (steps|taps|moves|touches down|swings|is moved) (twice as often|at double frequency|more often|faster|at a higher frequency|twice as fast|twice per cycle|more frequently)( than the (others|rest)| as the (others|rest)|)|"
        "(, |){u} (at double frequency|at twice the rate|twice as fast|at a higher frequency|at double rate|at twice the frequency|faster than the rest)|"
        "and (double|increase|raise) the (frequency|rate|stepping rate|step frequency) of {u}|doubling the (frequency|rate|stepping rate) of {u}",
        rng,
        {"u": leg(name, rng)},
    )
    velocity = rng.choice((0.0, 0.0, 0.5, 0.5, 1.0, -0.5, -1.0, None))
    act = gait(rng, rng.choice(("trot", "trot", "pace", "bound")), velocity, f",fast={name}", extra)
    if rng.random() < 0.12:
        inner = gait(
            rng,
            rng.choice(("trot", "pace")),
            velocity if velocity is not None else 0.5,
            f",fast={name}",
        )
        text = expand(
            "(double|increase|raise) the (stepping rate|frequency|step rate|rate|step frequency) of {u} while {g}|"
            "move {u} (twice as fast|twice as often|at double frequency|at a higher frequency|faster than the others) while {g}|"
            "while {g}, (move {u} at double frequency|let {u} step twice as often|double the rate of {u})",
            rng,
            {"u": leg(name, rng), "g": inner.gerund},
        )
        return Act(inner.plan, text, text, text, text)
    return act


def tempo(rng: random.Random) -> Act:
    """A gait with a short or a long cycle."""
    quick = rng.random() < 0.5
    if quick:
        extra = expand(
            "with (quick|short|rapid|fast|quick little|many small|hasty|brisk|hurried|frequent|small quick) steps|with a (high|higher|fast|quick|rapid|raised|increased) (step frequency|stepping frequency|cadence|step rate|rhythm|tempo|gait frequency|beat|frequency)|"
            "with a (short|shorter|brief|quick) (cycle|period|gait cycle|stride|cycle time)|at a (high|higher|fast|quick) (cadence|step frequency|stepping rate|tempo|rhythm|beat|frequency)|"
            "(taking|using|making) (quick|short|rapid|many quick|quick little|fast|quick short) steps|stepping (quickly|more often|rapidly|in a fast rhythm|at a high rate)|in a (quick|fast|rapid|hectic) (rhythm|tempo|beat)|with (more|lots of) steps per second",
            rng,
        )
    else:
        extra = expand(
            "with (long|slow|lazy|long slow|few|calm|drawn-out) (steps|strides)|with a (low|lower|slow|slower|reduced|small) (step frequency|stepping frequency|cadence|step rate|rhythm|tempo|gait frequency|beat|frequency)|"
            "with a (long|longer|slow|long, slow|long and slow) (cycle|period|gait cycle|stride|cycle time|rhythm)|at a (low|lower|slow|calm) (cadence|step frequency|stepping rate|tempo|rhythm|beat|frequency)|"
            "(taking|using|making) (long|slow|fewer|long slow) (steps|strides)|stepping (slowly|less often|in a slow rhythm|at a low rate)|in a (slow|calm|long|lazy|steady slow) (rhythm|tempo|beat)|with (fewer|few) steps per second",
            rng,
        )
    velocity = rng.choice((0.0, 0.0, 0.5, 1.0, -0.5, 1.0, 0.5, -1.0, None))
    return gait(
        rng,
        rng.choice(("trot", "trot", "trot", "pace", "bound")),
        velocity,
        ",quick" if quick else ",calm",
        extra,
    )


def suspended(rng: random.Random) -> Act:
    """A gait with all feet off the ground for part of the cycle."""
    velocity = rng.choice((0.0, 0.0, 0.0, 0.5, 0.5, 1.0, -0.5, -1.0, None))
    name = rng.choice(("trot", "trot", "pace"))
    if rng.random() < 0.3:
        return gait(rng, name, velocity, ",air", adjective=expand(AIR_ADJ, rng))
    extra = expand(AIR, rng)
    if rng.random() < 0.12:
        act = gait(rng, name, velocity, ",air")
        return Act(
            act.plan,
            f"{act.order}, but make it {expand('(a (flying|bouncy|springy|jumping|hopping) one|bouncy|fly|springy|a suspended one)', rng)} "
            + (extra if rng.random() < 0.5 else ""),
            act.gerund + " with suspension",
            act.perfect + " with suspension",
            act.state,
        )
    return gait(rng, name, velocity, ",air", extra)
