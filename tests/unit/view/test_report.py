import re
from html.parser import HTMLParser

import numpy as np
import pytest
from told_runs import plan, step

from fmrl_robot.planners.contact_patterns import GaitCall, draw_pattern
from fmrl_robot.types import (
    ContactPattern,
    Plan,
    PlanStatus,
    Predicate,
    Problem,
    RewardOut,
    SubGoal,
    SubGoalKind,
    Success,
    Usage,
    Velocity,
)
from fmrl_robot.view.report import name_of, render
from fmrl_robot.view.run_log import RunLog
from fmrl_robot.view.timeline import LEFT, RIGHT, WIDTH, Axis, axis_of


def region(number, skill, target, goal):
    return SubGoal(
        id=str(number),
        kind=SubGoalKind.REGION,
        skill=skill,
        target=target,
        termination=goal,
        text=f"step {number}",
    )


def small_run(instruction="put the red cube in the bowl"):
    """A pick and place of eleven seconds, its second step failing once the gate stops."""
    rng = np.random.default_rng(0)
    log = RunLog(robot="panda", title="20260101-120000")
    log.final_frame = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    steps = (
        region(0, "grasp", "red_cube", Predicate("held", ("red_cube",))),
        region(1, "place", "bowl", Predicate("in", ("red_cube", "bowl"))),
    )
    plan = Plan(
        instruction=instruction,
        method="psl",
        task_id="t",
        subgoals=steps,
        goal=(Predicate("in", ("red_cube", "bowl")),),
        status=PlanStatus.VALID,
    )
    log.add_plan(100.0, plan)
    log.add_subgoal(101.0, steps[0])
    for i in range(100):
        out = RewardOut(
            value=i / 100, success=Success.YES if i > 90 else Success.UNKNOWN, confidence=1.0
        )
        log.add_reward(101.0 + i / 10, "0", out)
    log.end_step(105.0, "done")
    log.add_subgoal(105.0, steps[1])
    log.note(110.0, "gate", "stopped: asked to")
    log.end_task(111.0, "failed")
    log.usages.append(
        ("planner_node", Usage(role="plan", model="lm-embedded", prompt_sha256="0", latency_s=0.1))
    )
    log.gate = {"accepted": 550, "refused": 2, "stops": 1}
    log.commands_delay_s = [0.002] * 100
    return log


class Strict(HTMLParser):
    """Fails on tags that do not match."""

    void = frozenset({"meta", "img", "line", "br"})

    def __init__(self):
        super().__init__()
        self.stack, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in self.void:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.stack.pop()

    def handle_endtag(self, tag):
        if tag not in self.void:
            assert self.stack.pop() == tag


def parsed(html):
    parser = Strict()
    parser.feed(html)
    assert parser.stack == []
    return parser


def test_the_report_tells_the_run():
    html = render(small_run(), ("video.mp4",))
    parsed(html)
    for text in (
        "put the red cube in the bowl",
        "grasp(red_cube) until held(red_cube)",
        "place(bowl)",
        "in(red_cube, bowl)",
        "stopped: asked to",
        "lm-embedded",
        "<polyline",
        "550",
        "video.mp4",
    ):
        assert text in html, text


def test_seconds_stand_in_their_bar_or_beside_a_short_one():
    log = RunLog(robot="panda")
    log.add_plan(100.0, Plan(instruction="x", method="psl", task_id="t"))
    times = (101.0, 105.0, 105.1, 107.9, 108.0)
    for number, begin in enumerate(times[:-1]):
        log.add_subgoal(begin, region(number, "grasp", "red_cube", None))
        log.end_step(times[number + 1], "done")
    log.end_task(times[-1], "done")
    html = render(log)
    bars = re.findall(r'<rect x="([\d.]+)" y="\d+"\swidth="([\d.]+)" height="21"', html)
    texts = re.findall(r'<text x="([\d.]+)" y="\d+" text-anchor="(\w+)"\sstyle="[^"]+">\d', html)
    where = []
    for (left, width), (at, anchor) in zip(bars, texts, strict=True):
        x, end = float(left), float(left) + float(width)
        where.append((anchor, float(at) < x, float(at) > end))
    inside, after, before = ("start", False, False), ("start", False, True), ("end", True, False)
    assert where == [inside, after, inside, before]


def test_the_report_needs_nothing_from_elsewhere():
    html = render(small_run(), ("video.mp4",))
    links = parsed(html).links
    assert all(link.startswith("data:") or link == "video.mp4" for link in links)
    assert "<script" not in html


def test_an_instruction_is_text_and_never_markup():
    html = render(small_run("<script>alert(1)</script><img src=x onerror=alert(1)>"))
    assert "<script" not in html
    assert "<img src=x" not in html


def test_a_run_without_a_task_still_has_a_report():
    html = render(RunLog(robot="go2"))
    parsed(html)
    assert "No task was given" in html


def test_a_contact_pattern_is_drawn_leg_by_leg():
    log = RunLog(robot="go2")
    gait = SubGoal(
        id="0",
        kind=SubGoalKind.CONTACT_PATTERN,
        pattern=ContactPattern(contacts=np.array([[1, 0], [0, 1], [0, 1], [1, 0]], dtype=bool)),
        velocity=Velocity(vx=0.5),
        duration_s=5.0,
    )
    log.add_plan(0.0, Plan(instruction="trot", method="saytap", subgoals=(gait,)))
    html = render(log)
    parsed(html)
    assert html.count('class="on"') == 4
    assert all(f"<b>{leg}</b>" in html for leg in ("FL", "FR", "RL", "RR"))


def test_a_refused_plan_says_why():
    log = RunLog(robot="panda")
    log.add_plan(
        0.0,
        Plan(
            instruction="juggle",
            method="psl",
            status=PlanStatus.REFUSED,
            problems=(Problem(code=201, message="no skill juggle", step=0),),
        ),
    )
    assert "201: no skill juggle" in render(log)


@pytest.mark.parametrize(("state", "expected"), [("done", "done"), ("failed", "failed")])
def test_steps_end_with_their_task(state, expected):
    log = small_run()
    log.tasks.clear()
    log.add_plan(0.0, Plan(instruction="x", method="psl", task_id="a"))
    log.add_subgoal(1.0, region(0, "grasp", "red_cube", None))
    log.end_task(2.0, state)
    assert log.task.steps[0].state == expected
    log.add_plan(3.0, Plan(instruction="y", method="psl", task_id="b"))
    assert [t.instruction for t in log.tasks] == ["x", "y"]


@pytest.mark.parametrize("seconds", [0.0, 3.0, 59.0, 3600.0, 86400.0, 1.8e9])
def test_an_axis_has_a_dozen_ticks_however_long_the_run(seconds):
    """Two clocks in one log once made three million, and the monitor deaf while it wrote them."""
    ticks = Axis(0.0, seconds).ticks()
    assert 1 <= len(ticks) <= 12
    assert [x for x, _ in ticks] == sorted(x for x, _ in ticks)


@pytest.mark.parametrize("count", [1, 3, 150])
def test_idle_time_is_cut_and_what_happened_gets_the_room(count):
    busy = [(100.0 * n, 100.0 * n + 10.0) for n in range(count)]
    axis = axis_of([t for span in busy for t in span], busy)
    assert len(axis.cuts) == count - 1 and len(axis.ticks()) <= 12
    widths = [axis.x(end) - axis.x(begin) for begin, end in busy]
    assert sum(widths) > 0.5 * (WIDTH - LEFT - RIGHT)
    assert max(widths) - min(widths) < 0.3
    edges = [axis.x(t) for span in busy for t in span]
    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (LEFT, WIDTH - RIGHT)
    assert axis.marks()[:1] == (
        [(pytest.approx((edges[1] + edges[2]) / 2, abs=1), "1 min 28 s idle")] if count > 1 else []
    )


def test_short_pauses_and_runs_without_tasks_are_drawn_as_they_were():
    assert axis_of([0.0, 20.0], [(0.0, 8.0), (12.0, 20.0)]).cuts == ()
    assert axis_of([0.0, 500.0], []).cuts == ()


def test_waiting_before_the_first_and_after_the_last_task_is_cut_too():
    axis = axis_of([0.0, 300.0], [(100.0, 110.0)])
    assert axis.cuts == ((0.0, 99.0), (111.0, 300.0))
    assert axis.x(110.0) - axis.x(100.0) > 0.7 * (WIDTH - LEFT - RIGHT)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("20261130-162500", "Go2 · 30 November 2026, 16:25"),
        ("my run", "Go2 · my run"),
        ("", "Go2"),
    ],
)
def test_a_run_is_titled_by_robot_and_date(title, name):
    assert name_of(RunLog(robot="go2", title=title)) == name


def test_a_report_of_many_tasks_is_titled_by_the_run_and_lists_every_end():
    log = RunLog(robot="go2", title="20261130-162500")
    log.add_plan(0.0, plan("a", step(1)))
    log.add_subgoal(0.5, step(1))
    log.end_task(9.0, "done", "a")
    log.add_plan(200.0, plan("b", refused="no skill juggle"))
    log.end_task(200.2, "failed", "b")
    html = render(log)
    parsed(html)
    html = html.partition("</head>")[2]
    title = re.search(r"<h1>([^<]+)</h1>", html).group(1)
    assert title == "Go2 · 30 November 2026, 16:25" and "do b" not in title
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "“do a” done 9.0 s" in said
    assert "“do b” 201: no skill juggle refused 0.2 s" in said
    assert "running" not in said


def test_the_rows_of_a_quadruped_are_named_by_gait_and_speed():
    log = RunLog(robot="go2")
    for number, call in enumerate((GaitCall(gait="trot", vx=0.5), GaitCall(gait="stand"))):
        gait = SubGoal(
            id=str(number),
            kind=SubGoalKind.CONTACT_PATTERN,
            pattern=draw_pattern(call),
            velocity=Velocity(vx=call.vx),
            duration_s=5.0,
        )
        log.add_plan(float(number), Plan(instruction="x", method="saytap", subgoals=(gait,)))
        log.add_subgoal(number + 0.1, gait)
    margin = re.findall(r'text-anchor="end" style="fill:#e8edf4">([^<]+)</text>', render(log))
    assert margin == ["trot 0.5 m/s", "stand"]


def test_steps_of_every_plan_are_reported_with_why_another_was_needed():
    log = RunLog(robot="panda")
    log.add_plan(0.0, plan("a", step(1)))
    log.add_subgoal(1.0, step(1))
    log.end_step(2.0, "failed")
    log.add_replan(2.0, "a", "it slipped")
    log.add_plan(2.1, plan("a"))
    log.end_task(2.2, "done", "a")
    html = render(log)
    assert html.index("grasp(red_cube)") < html.index("planned anew: it slipped")
    assert "nothing was carried out" not in html
