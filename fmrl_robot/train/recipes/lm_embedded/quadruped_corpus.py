"""Instructions for the quadruped with their plans: gait, speed, legs, rhythm, duration."""

from __future__ import annotations

import random

from fmrl_robot.train.recipes.lm_embedded import quadruped_refusals
from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act
from fmrl_robot.train.recipes.lm_embedded.connectors import polite, sequence, wrap
from fmrl_robot.train.recipes.lm_embedded.phrases import expand

Example = tuple[str, tuple[str, ...]]

_GAITS = {
    "trot": ("trot trotting trotted", "a (trot|trotting gait|trotting pace|diagonal gait)"),
    "pace": ("pace pacing paced", "a (pace|pacing gait|pacing walk|lateral gait)"),
    "bound": ("bound bounding bounded", "a (bound|bounding gait|bounding motion|half-bound gait)"),
    "walk": ("walk walking walked", "a (walk|walking gait)"),
}
_PLACE = (
    "(in place|in place|in place|in place|on the spot|on the spot|on the same spot|without moving forward|where you are|"
    "without going anywhere|at the same place|on one spot|without leaving your spot|while staying in place|"
    "but stay where you are|without advancing|at zero speed|with zero velocity|and don't move away|without moving|"
    "right where you stand|staying on the spot|remaining in place|without travelling|at a standstill|in one place|"
    "in the same position|but remain on the spot|keeping your position|without any forward speed|at 0 m/s|"
    "with no forward motion|while remaining in place|stationary|without changing your position|here|right here)"
)
_DIRECTION = {
    1: "(forward|forward|forward|forwards|ahead|straight ahead|onward|to the front|in the forward direction|frontward|straight on)",
    -1: "(backward|backward|backwards|backwards|back|in reverse|rearward|to the rear|in the backward direction|rearwards)",
}
_SPEED = {
    1: "(slowly|slowly|slowly|at a slow speed|slow|gently|at low speed|leisurely|unhurriedly|at half speed|with low speed|calmly|"
       "at a gentle speed|at a relaxed speed|at 0.5 m/s|at 0.5 metres per second|at half a meter per second|nice and slowly|"
       "carefully|at a comfortable speed|easy|in a slow manner|very slowly|rather slowly|at a moderate speed|without hurry|"
       "at a crawl|with a speed of 0.5|at .5 m/s|at a slow pace of 0.5 m/s|at 50 centimetres per second|quietly|cautiously|softly|"
       "at a snail's speed|in slow motion|taking your time|with small speed|gradually|a little|lazily|steadily and slowly|half speed)",
    2: "(fast|fast|fast|quickly|quickly|at full speed|at high speed|rapidly|at top speed|at a high speed|as fast as possible|"
       "swiftly|at maximum speed|at 1 m/s|at one metre per second|at 1.0 m/s|at a fast speed|with high speed|speedily|hurriedly|"
       "in a hurry|at one meter per second|really fast|very fast|at speed|briskly|full throttle|with a speed of 1|hastily|"
       "at a brisk speed|with full speed|flat out|at 1 metre per second|at a metre a second|as quickly as you can|at top pace|full speed)",
}
_SLOW_ADJ = "(slow|slow|gentle|leisurely|relaxed|calm|unhurried|easy|careful|lazy)"
_FAST_ADJ = "(fast|fast|quick|rapid|speedy|swift|brisk|high-speed)"
_LEGS = {
    "FL": "(front left|front left|left front|FL|forward left|left fore|front-left|left forward)",
    "FR": "(front right|front right|right front|FR|forward right|right fore|front-right|right forward)",
    "RL": "(rear left|rear left|left rear|RL|back left|left hind|left back|hind left|rear-left)",
    "RR": "(rear right|rear right|right rear|RR|back right|right hind|right back|hind right|rear-right)",
}
_AIR = (
    "with (a|a|a short|a long|some|a clear|a brief) (suspension phase|suspension|aerial phase|flight phase|airborne phase|flying phase|phase of suspension|"
    "moment of suspension|moment in the air|phase in the air|ballistic phase|floating phase)|"
    "with (suspension|suspension phases|flight phases|aerial phases|air time|all (four |)feet off the ground (sometimes|in between|at times|for a moment))|"
    "so that all (four |)(feet|legs|paws) (leave|are off|lift off) the (ground|floor) (at once|sometimes|in between|between steps|for a moment|at the same time|briefly)|"
    "such that (no foot|none of the feet|not one foot) (touches|is on) the (ground|floor) (for a while|sometimes|between (the |)steps|for a moment|part of the time)|"
    "(where|in which) (the (whole |)(robot|body) is|all feet are|you are|all legs are) (in the air|airborne|off the ground|off the floor) (for a moment|part of the time|sometimes|at times|in each cycle|between steps|between the steps)|"
    "with (moments|periods|phases) (in which|when|where) (all (four |)(feet|legs) are|the (whole |)(robot|body|dog) is|everything is|you are) (in the air|airborne|off the ground|suspended)|"
    "and (leave the ground|be airborne|fly|lift all feet) (between steps|for a moment in each step|for a moment|in between)|"
    "with (all|the) feet (in the air|off the floor|off the ground) (for a while|for part of the cycle|part of the time|in between)|with hops in between|letting all feet (leave the ground|come off the floor)"
)
_AIR_ADJ = "(flying|bouncy|suspended|springy|jumping|bouncing|airborne|floating|hopping)"
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def leg(name: str, rng: random.Random, limb: bool = True) -> str:
    """Name one leg."""
    word = expand(_LEGS[name], rng)
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


def _duration(rng: random.Random) -> tuple[str, str]:
    """A duration in words and in the plan, or nothing."""
    if rng.random() < 0.85:
        return "", ""
    return duration(rng)


def duration(rng: random.Random) -> tuple[str, str]:
    """A duration in words and in the plan."""
    n = rng.choice((1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 10, 12, 15, 20))
    said = _NUMBERS[n - 1] if n <= 10 and rng.random() < 0.5 else str(n)
    unit = "second" if n == 1 else "seconds"
    words = rng.choice((f"for {said} {unit}",) * 4 + (f"for {n} s", f"for {n}s", f"for about {said} {unit}",
                       f"during {said} {unit}", f"{said} {unit}", f"{n} s", f"for {n} sec", f"for {said} {unit} long",
                       f"for exactly {said} {unit}"))
    return words, f",t={n}"


def _join(*parts: str) -> str:
    return " ".join(p for p in parts if p)


def gait(rng: random.Random, name: str = "", velocity: float | None = None, mods: str = "",
         extra: str = "", adjective: str = "") -> Act:
    """One gait with direction and speed; ``extra`` are words for the plan's ``mods``."""
    name = name or rng.choice(("trot", "trot", "pace", "bound", "walk"))
    direction = rng.choice((0, 1, 1, -1, -1)) if velocity is None else (velocity > 0) - (velocity < 0)
    level = rng.choice((1, 1, 2, 2, 0)) if velocity is None else (2 if abs(velocity) == 1 else 1)
    base, gerund, perfect = _GAITS[name][0].split()
    if direction == 0:
        where = expand(_PLACE, rng)
        adjective = adjective or (expand("(stationary|)", rng) if rng.random() < 0.1 else "")
        level = 1
        vx = "0"
    else:
        where = expand(_DIRECTION[direction], rng)
        vx = f"{'-' if direction < 0 else ''}{'1' if level == 2 else '0.5'}"
    how = expand(_SPEED[level], rng) if direction and level else ""
    label = "trot" if name == "walk" else name
    time_words, time_mod = _duration(rng)
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
            adj = _join(expand(_SLOW_ADJ if level == 1 else _FAST_ADJ, rng), adjective)
        elif how:
            rest.append(how)
        noun = expand(_GAITS[name][1], rng)[2:]
        article = "an" if adj[:1] in "aeiou" and adj else "a"
        go, going, gone = rng.choice((("move", "moving", "moved"), ("go", "going", "gone"), ("run", "running", "run"),
            ("do", "doing", "done"), ("travel", "travelling", "travelled"), ("walk", "walking", "walked"),
            ("come", "coming", "come"), ("perform", "performing", "performed"), ("show me", "showing", "shown")))
        way = "" if go in ("do", "perform", "show me") else expand("(with|using|in|with|at)", rng)
        if rng.random() < 0.25:
            rest_text = _join(f"{way} {article} {adj} {noun}", *rest)
        else:
            rest_text = _join(*rest[:1], f"{way} {article} {adj} {noun}", *rest[1:]) if way else _join(f"{article} {adj} {noun}", *rest)
        order, ger, perf = (f"{v} {rest_text}" for v in (go, going, gone))
    elif direction == 0 and form < 0.4 and not extra:
        order = expand("(keep|continue|start|stay|remain) {g} {w}|{g} {w}|do some {g} {w}|(stay|remain) {w} (and|while) {g}|"
                       "(stay|remain) (where you are|in place) (and|but) {b}|{b} but (stay|remain|keep) (in place|where you are|on the spot)|"
                       "I want to see {g} {w}|show me (stationary {g}|{g} {w})|{b}, {w}|stationary {g}",
                       rng, {"g": gerund, "b": base, "w": where})
        ger, perf = f"{gerund} {where}", f"{perfect} {where}"
    elif direction and form < 0.48 and name == "walk":
        go, going, gone = rng.choice((("go", "going", "gone"), ("move", "moving", "moved"), ("run", "running", "run"),
            ("walk", "walking", "walked"), ("come", "coming", "come"), ("head", "heading", "headed"), ("advance", "advancing", "advanced"))
            if direction > 0 else (("go", "going", "gone"), ("move", "moving", "moved"), ("back up", "backing up", "backed up"),
            ("reverse", "reversing", "reversed"), ("back off", "backing off", "backed off"), ("retreat", "retreating", "retreated")))
        if go in ("advance", "back up", "reverse", "back off", "retreat"):
            tail = [p for p in tail if p != where]
        order, ger, perf = (_join(v, *tail) for v in (go, going, gone))
    else:
        order, ger, perf = (_join(v, *tail) for v in (base, gerund, perfect))
        if rng.random() < 0.06:
            order = expand("let's see you {g}|let me see you {g}|keep {g}|start {g}|show me how you {b}|I want to see you {b}|begin {g}",
                           rng, {"g": ger, "b": order})
    if time_words:
        order, ger, perf = (f"{p} {time_words}" for p in (order, ger, perf))
    return Act(plan, order, ger, perf, f"you have {perf}")


def reverse(rng: random.Random) -> Act:
    """Backing up, with the gait said last."""
    level = rng.choice((1, 1, 2))
    name = rng.choice(("trot", "pace", "bound"))
    adj = expand(_SLOW_ADJ if level == 1 else _FAST_ADJ, rng)
    noun = expand(_GAITS[name][1], rng)[2:]
    text = expand("(reverse|back up|back off|retreat|go back|move back|come back|return|walk back) (at|in|with|using) a ({a} {n}|{n}, {s}|{n} {s})|"
                  "(reverse|back up|retreat|go back) {s} (in|with|using|at) a {n}", rng,
                  {"a": adj, "n": noun, "s": expand(_SPEED[level], rng)})
    return Act((f"{name}({'-1' if level == 2 else '-0.5'})",), text, f"backing up at a {adj} {noun}",
               f"backed up at a {adj} {noun}", f"you have backed up at a {adj} {noun}")


def stand(rng: random.Random) -> Act:
    """Stand on all fours."""
    text = expand(
        "(stand|stand|stand|stay|remain|keep|be|hold) still|(stop|halt|freeze|wait|pause|stand|stay|stay put|rest|stop moving|stop walking|stand by|hold it|hold your position|do nothing|stay there)|"
        "(don't|do not) move|(stand|wait|remain|stay) (here|in place|where you are|there|motionless|on all fours|quietly|on all four (legs|feet)|upright|at rest|on the spot)|"
        "stand (still |)with (all|all four|your four|every) (feet|legs|foot|paws) on the (ground|floor)|(stop|come to a stop|come to a halt|come to a standstill|come to rest)|"
        "(keep|put|leave) (all|all four|every) (feet|legs|paws) on the (ground|floor)|stop and (stand|stay|wait|stand still|don't move)|(stay|remain|wait) where you are and (don't move|do not move|stand|wait)|"
        "(no movement|hold still|don't go anywhere|remain stationary|stay stationary|stand firmly|rest on all four legs)", rng)
    time_words, mod = duration(rng) if rng.random() < 0.3 else ("", "")
    text = _join(text, time_words)
    gerund = _join(expand("(standing still|standing|stopping|waiting|standing in place)", rng), time_words)
    return Act((f"stand(0{mod})",), text, gerund, _join("stood still", time_words), "you stand still")


def lift(rng: random.Random) -> Act:
    """Stand with one leg, or two, off the ground."""
    pair = rng.random() < 0.3
    names = list(rng.choice((("FL", "RR"), ("FR", "RL"), ("FL", "RR"), ("FR", "RL"), ("FL", "RL"), ("FR", "RR"),
                             ("FL", "FR"), ("RL", "RR")))) if pair else [rng.choice(tuple(_LEGS))]
    mod = "".join(f",up={n}" for n in names)
    time_words, time_mod = _duration(rng)
    if pair:
        down = [n for n in _LEGS if n not in names]
        rng.shuffle(down)
        both = legs(rng.sample(names, 2), rng)
        text = expand("(stand|balance|stay|rest|remain|stand still|support yourself) (on|on|only on|using|just on) {d}( only| alone||| and nothing else)|"
                      "(stand|balance|stand still|stay) with {u} (in the air|up|lifted|raised|off the ground|off the floor)|"
                      "(lift|raise|hold up|pick up|keep up|take up) {u}( at the same time| together| at once||)|stand on (two|only two) legs(:|, namely|,) {d}|"
                      "(keep|have|leave) only {d} on the (ground|floor)|only {d} (should|may|must) touch the (ground|floor)|"
                      "(keep|hold|have) {u} (in the air|up|off the ground|lifted|raised)|use only {d} to stand|put (your|all your) weight on {d}",
                      rng, {"d": legs(down, rng), "u": both})
    else:
        one = leg(names[0], rng)
        text = expand("(lift|lift|raise|lift up|pick up|raise up|hold up|take up|show me|give me|put up|move up) {u}( up| into the air| in the air|||| off the (ground|floor)| a bit| please)|"
                      "(stand|stand still|stay|balance|remain|wait|stay still) (on three legs |on 3 legs ||)(with|with|but with|, with|while) {u} (up|in the air|lifted|raised|off the ground|held up|off the floor|kept up)|"
                      "(keep|hold|leave|have|get|bring|put) {u} (up|in the air|lifted|raised|off the ground|off the floor|above the ground|high)( while (you stand|standing|standing still)||)|"
                      "(stand|balance|stay) on (three|3|your other three|the other three) (legs|feet)(,|;| and) (lift|raise|lifting|raising|hold up|keeping up) {u}|"
                      "{u} (up|in the air|off the ground|should be up|should be in the air|must not touch the ground|should not touch the floor|has to be lifted)|"
                      "(stand|stay) (still |)without (putting {u} down|using {u}|{u} touching the (ground|floor)|putting weight on {u})|"
                      "(stand|stay) on all (legs|feet) (but|except) {u}|(don't|do not) (let {u} touch|put {u} on) the (ground|floor)(, stand still||)|"
                      "three legs on the (ground|floor), {u} (up|in the air)|give (me |a |)(paw|your paw)(,|:) {u}|shake hands with {u}|wave with {u}", rng, {"u": one})
    text = _join(text, time_words)
    gerund = f"lifting {leg(names[0], rng)}" if not pair else f"lifting {both}"
    perfect = gerund.replace("lifting", "lifted")
    if time_words:
        gerund, perfect = f"{gerund} {time_words}", f"{perfect} {time_words}"
    return Act((f"stand(0{mod}{time_mod})",), text, gerund, perfect, f"you have {perfect}")


def three_legs(rng: random.Random) -> Act:
    """Move with one leg held up."""
    name = rng.choice(tuple(_LEGS))
    up = leg(name, rng)
    extra = expand("(with|with|keeping|while keeping|while holding|holding|with) {u} (in the air|up|lifted|off the ground|always in the air|raised|off the floor)|"
                   "without (using|putting down|touching the ground with|the help of) {u}|on (three|3) legs(,| with| and|, keeping|, with) {u} (up|in the air|lifted|off the ground)|"
                   "with (three|3) legs(,| and|, with) {u} (up|in the air|always in the air|lifted)|without {u} touching the (ground|floor)|"
                   "but (keep|hold|leave) {u} (up|in the air|off the ground|lifted)|as if {u} (were|was) (hurt|broken|injured)|limping, {u} up|"
                   "(and |)never put {u} (down|on the ground|on the floor)|without ever putting {u} (down|on the floor)|while lifting {u}", rng, {"u": up})
    return gait(rng, rng.choice(("trot", "walk", "walk")), rng.choice((0.5, 0.5, -0.5, 0.0, 1.0)), f",up={name}", extra)


def faster(rng: random.Random) -> Act:
    """A gait in which one leg steps more often."""
    name = rng.choice(tuple(_LEGS))
    extra = expand("(with|with|while|and|, with|where|so that|in which|, and) {u} (moving|moving|stepping|tapping|going|swinging|touching down) (at a higher frequency|at double frequency|twice as fast|twice as often|"
                   "with a higher frequency|faster|more often|at twice the rate|with double frequency|more frequently|two times as often|at double the rate|faster than the others|twice per cycle|"
                   "at twice the frequency|at higher frequency|more quickly than the (rest|others|other legs)|at a faster rate|with twice the frequency|at double speed)( than the (others|rest|other legs)|||)|"
                   "(with|, with|using) (a higher|double|twice the|an increased|a doubled|a faster) (frequency|stepping frequency|step rate|rate|stepping rate) (of|for|in|on) {u}|"
                   "(, but|but|and|while you) (move|step with|tap|swing|lift|let) {u} (at double frequency|twice as often|faster|more often|at a higher frequency|twice as fast|more frequently)( than the (others|rest|other legs)| as the others|)|"
                   "(where|in which|so that|, and|but) {u} (steps|taps|moves|touches down|swings|is moved) (twice as often|at double frequency|more often|faster|at a higher frequency|twice as fast|twice per cycle|more frequently)( than the (others|rest)| as the (others|rest)|)|"
                   "(, |){u} (at double frequency|at twice the rate|twice as fast|at a higher frequency|at double rate|at twice the frequency|faster than the rest)|"
                   "and (double|increase|raise) the (frequency|rate|stepping rate|step frequency) of {u}|doubling the (frequency|rate|stepping rate) of {u}", rng, {"u": leg(name, rng)})
    velocity = rng.choice((0.0, 0.0, 0.5, 0.5, 1.0, -0.5, -1.0, None))
    act = gait(rng, rng.choice(("trot", "trot", "pace", "bound")), velocity, f",fast={name}", extra)
    if rng.random() < 0.12:
        inner = gait(rng, rng.choice(("trot", "pace")), velocity if velocity is not None else 0.5, f",fast={name}")
        text = expand("(double|increase|raise) the (stepping rate|frequency|step rate|rate|step frequency) of {u} while {g}|"
                      "move {u} (twice as fast|twice as often|at double frequency|at a higher frequency|faster than the others) while {g}|"
                      "while {g}, (move {u} at double frequency|let {u} step twice as often|double the rate of {u})", rng,
                      {"u": leg(name, rng), "g": inner.gerund})
        return Act(inner.plan, text, text, text, text)
    return act


def tempo(rng: random.Random) -> Act:
    """A gait with a short or a long cycle."""
    quick = rng.random() < 0.5
    if quick:
        extra = expand("with (quick|short|rapid|fast|quick little|many small|hasty|brisk|hurried|frequent|small quick) steps|with a (high|higher|fast|quick|rapid|raised|increased) (step frequency|stepping frequency|cadence|step rate|rhythm|tempo|gait frequency|beat|frequency)|"
                       "with a (short|shorter|brief|quick) (cycle|period|gait cycle|stride|cycle time)|at a (high|higher|fast|quick) (cadence|step frequency|stepping rate|tempo|rhythm|beat|frequency)|"
                       "(taking|using|making) (quick|short|rapid|many quick|quick little|fast|quick short) steps|stepping (quickly|more often|rapidly|in a fast rhythm|at a high rate)|in a (quick|fast|rapid|hectic) (rhythm|tempo|beat)|with (more|lots of) steps per second", rng)
    else:
        extra = expand("with (long|slow|lazy|long slow|few|calm|drawn-out) (steps|strides)|with a (low|lower|slow|slower|reduced|small) (step frequency|stepping frequency|cadence|step rate|rhythm|tempo|gait frequency|beat|frequency)|"
                       "with a (long|longer|slow|long, slow|long and slow) (cycle|period|gait cycle|stride|cycle time|rhythm)|at a (low|lower|slow|calm) (cadence|step frequency|stepping rate|tempo|rhythm|beat|frequency)|"
                       "(taking|using|making) (long|slow|fewer|long slow) (steps|strides)|stepping (slowly|less often|in a slow rhythm|at a low rate)|in a (slow|calm|long|lazy|steady slow) (rhythm|tempo|beat)|with (fewer|few) steps per second", rng)
    velocity = rng.choice((0.0, 0.0, 0.5, 1.0, -0.5, 1.0, 0.5, -1.0, None))
    return gait(rng, rng.choice(("trot", "trot", "trot", "pace", "bound")), velocity,
                ",quick" if quick else ",calm", extra)


def suspended(rng: random.Random) -> Act:
    """A gait with all feet off the ground for part of the cycle."""
    velocity = rng.choice((0.0, 0.0, 0.0, 0.5, 0.5, 1.0, -0.5, -1.0, None))
    name = rng.choice(("trot", "trot", "pace"))
    if rng.random() < 0.3:
        return gait(rng, name, velocity, ",air", adjective=expand(_AIR_ADJ, rng))
    extra = expand(_AIR, rng)
    if rng.random() < 0.12:
        act = gait(rng, name, velocity, ",air")
        return Act(act.plan, f"{act.order}, but make it {expand('(a (flying|bouncy|springy|jumping|hopping) one|bouncy|fly|springy|a suspended one)', rng)} " + (extra if rng.random() < 0.5 else ""),
                   act.gerund + " with suspension", act.perfect + " with suspension", act.state)
    return gait(rng, name, velocity, ",air", extra)


def any_act(rng: random.Random) -> Act:
    """Any single segment."""
    makers = (gait, stand, lift, three_legs, faster, tempo, suspended, reverse)
    return rng.choices(makers, (10, 5, 4, 1, 1.5, 1, 1.5, 1))[0](rng)


def correction(rng: random.Random) -> Example:
    """Change of mind or negation."""
    act, other = any_act(rng), any_act(rng)
    form = expand("{b}(. Actually no, |, no wait, |. Sorry, |. No, |, I mean |, no, |, sorry, | - no, |. Scratch that, |, actually |, or rather ){a}|"
                  "don't {b}, {a}|do not {b}, (but |instead |just ){a}|{a}, don't {b}|{a}, not {b}|instead of {bg}, {a}|{a} instead of {bg}|{a} without {bg}|{a} rather than {bg}", rng)
    for key, value in (("{bg}", other.gerund), ("{a}", act.order), ("{b}", other.order)):
        form = form.replace(key, value)
    return form, act.plan


def three_segments(rng: random.Random) -> Example:
    """A sequence, its orders sometimes shortened to gerunds."""
    acts = [any_act(rng) for _ in range(rng.choice((2, 2, 2, 2, 3)))]
    if rng.random() < 0.12:
        plan = tuple(s for a in acts for s in a.plan)
        first = rng.choice(("start with ", "begin with ", "start by ", "first ", "begin by "))
        mid = rng.choice((", then ", ", next ", ", after that ", ", followed by ", ", continue with "))
        last = rng.choice((", last ", ", and finally ", ", and end with ", " and finish with ", ", finally "))
        text = first + acts[0].gerund
        for i, act in enumerate(acts[1:]):
            text += (last if i == len(acts) - 2 else mid) + act.gerund
        return text, plan
    return sequence(acts, rng)


def draw(rng: random.Random) -> Example:
    """One instruction with its plan."""
    kind = rng.random()
    if kind < 0.34:
        return wrap(gait(rng), rng) if rng.random() < 0.9 else wrap(reverse(rng), rng)
    if kind < 0.39:
        return wrap(stand(rng), rng)
    if kind < 0.49:
        return wrap(lift(rng), rng)
    if kind < 0.53:
        return wrap(three_legs(rng), rng)
    if kind < 0.60:
        return wrap(faster(rng), rng)
    if kind < 0.65:
        return wrap(tempo(rng), rng)
    if kind < 0.72:
        return wrap(suspended(rng), rng)
    if kind < 0.86:
        return three_segments(rng)
    if kind < 0.89:
        return correction(rng)
    text, plan = quadruped_refusals.draw(rng)
    return (polite(text, rng) if rng.random() < 0.4 else text), plan
