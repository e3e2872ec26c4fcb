"""Standing in words: on all feet, with one or two lifted; and how legs and durations are named."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act
from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.quadruped_words import LEGS, NUMBERS


def join_words(*parts: str) -> str:
    """Join what is not empty."""
    return " ".join(p for p in parts if p)


def leg(name: str, rng: random.Random, limb: bool = True) -> str:
    """Name one leg."""
    word = expand(LEGS[name], rng)
    noun = expand("(leg|leg|leg|foot|foot|paw|limb)", rng)
    if word == name:
        return rng.choice((word, word, f"the {word} {noun}", f"{word} {noun}"))
    if not limb:
        return word
    return rng.choice(("the ", "the ", "your ", "your ", "its ", "")) + f"{word} {noun}"


def legs(names: list[str], rng: random.Random) -> str:
    """Name two legs."""
    a, b = names
    form = rng.random()
    if form < 0.35:
        return f"{leg(a, rng)} and {leg(b, rng)}"
    noun = expand("(legs|feet|paws|)", rng)
    the = rng.choice(("the ", "", "your "))
    return f"{the}{leg(a, rng, False)} and {rng.choice(('', the))}{leg(b, rng, False)} {noun}"


def maybe_duration(rng: random.Random) -> tuple[str, str]:
    """A duration in words and in the plan, or nothing."""
    if rng.random() < 0.85:
        return "", ""
    return duration(rng)


def duration(rng: random.Random) -> tuple[str, str]:
    """A duration in words and in the plan."""
    n = rng.choice((1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 10, 12, 15, 20))
    said = NUMBERS[n - 1] if n <= 10 and rng.random() < 0.5 else str(n)
    unit = "second" if n == 1 else "seconds"
    words = rng.choice(
        (f"for {said} {unit}",) * 4
        + (
            f"for {n} s",
            f"for {n}s",
            f"for about {said} {unit}",
            f"during {said} {unit}",
            f"{said} {unit}",
            f"{n} s",
            f"for {n} sec",
            f"for {said} {unit} long",
            f"for exactly {said} {unit}",
        )
    )
    return words, f",t={n}"


def stand(rng: random.Random) -> Act:
    """Stand on all fours."""
    text = expand(
        "(stand|stand|stand|stay|remain|keep|be|hold) still|(stop|halt|freeze|wait|pause|stand|stay|stay put|rest|stop moving|stop walking|stand by|hold it|hold your position|do nothing|stay there)|"
        "(don't|do not) move|(stand|wait|remain|stay) (here|in place|where you are|there|motionless|on all fours|quietly|on all four (legs|feet)|upright|at rest|on the spot)|"
        "stand (still |)with (all|all four|your four|every) (feet|legs|foot|paws) on the (ground|floor)|(stop|come to a stop|come to a halt|come to a standstill|come to rest)|"
        "(keep|put|leave) (all|all four|every) (feet|legs|paws) on the (ground|floor)|stop and (stand|stay|wait|stand still|don't move)|(stay|remain|wait) where you are and (don't move|do not move|stand|wait)|"
        "(no movement|hold still|don't go anywhere|remain stationary|stay stationary|stand firmly|rest on all four legs)",
        rng,
    )
    time_words, mod = duration(rng) if rng.random() < 0.3 else ("", "")
    text = join_words(text, time_words)
    gerund = join_words(
        expand("(standing still|standing|stopping|waiting|standing in place)", rng), time_words
    )
    return Act(
        (f"stand(0{mod})",), text, gerund, join_words("stood still", time_words), "you stand still"
    )


def lift(rng: random.Random) -> Act:
    """Stand with one leg, or two, off the ground."""
    pair = rng.random() < 0.5
    names = (
        list(
            rng.choice(
                (
                    ("FL", "RR"),
                    ("FR", "RL"),
                    ("FL", "RR"),
                    ("FR", "RL"),
                    ("FL", "RL"),
                    ("FR", "RR"),
                    ("FL", "FR"),
                    ("RL", "RR"),
                )
            )
        )
        if pair
        else [rng.choice(tuple(LEGS))]
    )
    mod = "".join(f",up={n}" for n in names)
    time_words, time_mod = maybe_duration(rng)
    both = ""
    if pair:
        down = [n for n in LEGS if n not in names]
        rng.shuffle(down)
        both = legs(rng.sample(names, 2), rng)
        text = expand(
            "(stand|balance|stay|rest|remain|stand still|support yourself) (on|on|only on|using|just on) {d}( only| alone||| and nothing else)|"
            "(stand|balance|stand still|stay) with {u} (in the air|up|lifted|raised|off the ground|off the floor)|"
            "(lift|raise|hold up|pick up|keep up|take up) {u}( at the same time| together| at once||)|stand on (two|only two) legs(:|, namely|,) {d}|"
            "(keep|have|leave) only {d} on the (ground|floor)|only {d} (should|may|must) touch the (ground|floor)|"
            "(keep|hold|have) {u} (in the air|up|off the ground|lifted|raised)|use only {d} to stand|put (your|all your) weight on {d}",
            rng,
            {"d": legs(down, rng), "u": both},
        )
    else:
        one = leg(names[0], rng)
        text = expand(
            "(lift|lift|raise|lift up|pick up|raise up|hold up|take up|show me|give me|put up|move up) {u}( up| into the air| in the air|||| off the (ground|floor)| a bit| please)|"
            "(stand|stand still|stay|balance|remain|wait|stay still) (on three legs |on 3 legs ||)(with|with|but with|, with|while) {u} (up|in the air|lifted|raised|off the ground|held up|off the floor|kept up)|"
            "(keep|hold|leave|have|get|bring|put) {u} (up|in the air|lifted|raised|off the ground|off the floor|above the ground|high)( while (you stand|standing|standing still)||)|"
            "(stand|balance|stay) on (three|3|your other three|the other three) (legs|feet)(,|;| and) (lift|raise|lifting|raising|hold up|keeping up) {u}|"
            "{u} (up|in the air|off the ground|should be up|should be in the air|must not touch the ground|should not touch the floor|has to be lifted)|"
            "(stand|stay) (still |)without (putting {u} down|using {u}|{u} touching the (ground|floor)|putting weight on {u})|"
            "(stand|stay) on all (legs|feet) (but|except) {u}|(don't|do not) (let {u} touch|put {u} on) the (ground|floor)(, stand still||)|"
            "three legs on the (ground|floor), {u} (up|in the air)|give (me |a |)(paw|your paw)(,|:) {u}|shake hands with {u}|wave with {u}",
            rng,
            {"u": one},
        )
    text = join_words(text, time_words)
    gerund = f"lifting {leg(names[0], rng)}" if not pair else f"lifting {both}"
    perfect = gerund.replace("lifting", "lifted")
    if time_words:
        gerund, perfect = f"{gerund} {time_words}", f"{perfect} {time_words}"
    return Act((f"stand(0{mod}{time_mod})",), text, gerund, perfect, f"you have {perfect}")
