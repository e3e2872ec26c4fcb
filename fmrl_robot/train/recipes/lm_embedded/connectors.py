"""How acts are joined in time, and how a request is wrapped in politeness."""

from __future__ import annotations

import random
from collections.abc import Sequence

from fmrl_robot.train.recipes.lm_embedded.arm_acts import Act
from fmrl_robot.train.recipes.lm_embedded.phrases import Example, expand

_LEAD = (
    "(please |please |pls |plz |could you |could you please |can you |can you please |would you |"
    "would you please |will you |kindly |hey robot, |robot, |ok, |okay, |now |now please |ok robot |"
    "hi, |hello, |go ahead and |I want you to |I'd like you to |I need you to |you should |"
    "you must |try to |let's |be so kind as to |do me a favour and |hey, |just |quickly |carefully |"
    "gently |if you can, |next, |your task: |task: |alright, |so, |um, |well, |I would like you to |"
    "you have to |you need to |it would be great if you could |may I ask you to |could you kindly |"
    "can I ask you to |time to |your job is to |make the robot |have the arm |the goal is to |"
    "simply |dear robot, |first of all, |right, |listen, |help me and |would it be possible to |"
    "I was wondering if you could |do this: |we want to |we have to |we should |I ask you to )"
)
_TAIL = (
    "(, please| please|, thanks|, thank you| for me| now|, will you| right now|, would you| quickly|"
    " carefully|, if you can|, if possible| gently| if you don't mind|, ok|, okay| pls| asap| thx|"
    ", be careful|, my friend| for me please| slowly and carefully| at once| immediately|, buddy|"
    ", robot| when you are ready| as soon as possible| today| with care|, that's all| and that's it|"
    " and nothing else|, nothing more)"
)


def polite(order: str, rng: random.Random, tail: bool = True) -> str:
    """Wrap an order; half stay bare."""
    chance = rng.random()
    if chance < 0.5:
        return order
    if chance < 0.8:
        lead = expand(_LEAD, rng) + " "
        text = lead + order
        ask = lead.startswith(("can ", "could ", "would ", "will ", "may "))
        return text + ("?" if ask and rng.random() < 0.7 else "")
    return f"{order} {expand(_TAIL, rng)}" if tail else order


def wrap(act: Act, rng: random.Random) -> Example:
    """Say one act."""
    chance = rng.random()
    if chance < 0.05:
        text = expand(
            "(would you mind|do you mind|how about|what about|try|consider|start) {g}(?|)",
            rng,
            {"g": act.gerund},
        )
        return text, act.plan
    if chance < 0.09:
        text = expand(
            "(make sure|ensure|see to it|take care|I want it so|arrange|be sure|check)( that|) {s}",
            rng,
            {"s": act.state},
        )
        return text, act.plan
    return polite(act.order, rng), act.plan


_TWO = (
    "{a}, then {b}|{a} and then {b}|{a} and {b}|{a}. Then {b}|{a}. After that {b}|{a}, after that {b}|"
    "first {a}, then {b}|first {a} and then {b}|first {a}, afterwards {b}|{a}, and finally {b}|"
    "first {a}. Then {b}|first {a}, second {b}|{a}; then {b}|{a}, next {b}|{a}. Next, {b}|{a}. Now {b}|"
    "{a}, followed by {bg}|{b} after {ag}|{b} after you have {ap}|after {ag}, {b}|{a}; {b}|"
    "after you have {ap}, {b}|once {as}, {b}|when {as}, {b}|as soon as {as}, {b}|{b} once {as}|"
    "{b} when {as}|{b} as soon as {as}|before {bg}, {a}|before you {b}, {a}|{a} before {bg}|"
    "{a} before you {b}|{b}, but first {a}|{b}, but {a} first|{a}, and only then {b}|"
    "{a}, and only after that {b}|start by {ag}, then {b}|begin by {ag} and then {b}|"
    "start with {ag} and finish with {bg}|when you are done {ag}, {b}|when you're done with {ag}, {b}|"
    "when you have finished {ag}, {b}|{b} when you are finished {ag}|{b} only after {ag}|"
    "do not {b} before you have {ap}|don't {b} until {as}|{b} only when {as}|{b} only once you have {ap}|"
    "having {ap}, {b}|{a}, when that is done {b}|{a}. When done, {b}|{a}. Once done, {b}|"
    "{a}, once that is done, {b}|{a}, {b}|{a}, subsequently {b}|{a} and afterwards {b}|"
    "{a} and after that {b}|{a} and finally {b}|{a}, later {b}|{a}. {b}|1. {a} 2. {b}|"
    "step one: {a}, step two: {b}|{a} > {b}|{a}, also {b}|{a} and also {b}|{a} as well as {b}|"
    "{a} first and then {b}|{a} first, then {b}|{a} first. {b} afterwards|{a} first and {b} second|"
    "two things: {a} and {b}|I want you to {a}, then {b}|could you {a} and afterwards {b}?|"
    "could you {a} and then {b}?|can you {a} and {b}?|please {a} and {b}|please {a}, then {b}|"
    "would you {a} and then {b}, please|prior to {bg}, {a}|{a} prior to {bg}|with {as}, {b}|"
    "the first thing to do is {ag}, the second {bg}|{b}. But before that, {a}|{b}. Before that {a}|"
    "before {bg} you (must|should|have to|need to) {a}|only after {ag} (may|should|can) you {b}|"
    "{a}. As soon as you have {ap}, {b}|{bg} comes after {ag}|let's {a} and then {b}|"
    "{b} immediately after {ag}|right after {ag}, {b}|directly after you have {ap}, {b}"
)
_THREE = (
    "{a}, {b} and {c}|{a}, then {b}, then {c}|first {a}, then {b}, finally {c}|{a}. Then {b}. Then {c}|"
    "first {a}, then {b} and finally {c}|{a}, {b}, {c}|{a}; {b}; {c}|{a}, {b} and then {c}|"
    "{a} and then {b} and then {c}|1. {a} 2. {b} 3. {c}|{a}, after that {b}, and at the end {c}|"
    "start by {ag}, then {b}, and finally {c}|{a}, {b}, and finally {c}|{a}, next {b}, last {c}|"
    "{a}. After that {b}. Finally, {c}|before {cg}, {a} and {b}|{a} and {b}, then {c}|"
    "after {ag} and {bg}, {c}|first {a}, second {b}, third {c}|please {a}, {b} and {c}|"
    "{a} and {b} before {cg}|{a}, then {b}. When done, {c}|could you {a}, {b} and then {c}?|"
    "{a}. {b}. {c}|{a}, then {b} and {c}|{a}, afterwards {b}, lastly {c}|once {as}, {b} and {c}|"
    "begin with {ag}, continue with {bg} and end with {cg}|{c} after {ag} and {bg}"
)


def sequence(acts: Sequence[Act], rng: random.Random) -> Example:
    """Say two or three acts in the order of ``acts``."""
    plan = tuple(step for act in acts for step in act.plan)
    form = expand(_TWO if len(acts) == 2 else _THREE, rng)
    # Long slot names first, so that {as} is never half-filled by {a}.
    for letter, act in zip("abc", acts, strict=False):
        for suffix, value in (
            ("g", act.gerund),
            ("p", act.perfect),
            ("s", act.state),
            ("", act.order),
        ):
            form = form.replace("{" + letter + suffix + "}", value)
    text = form
    if rng.random() < 0.12:
        text = polite(text, rng)
    return text, plan
