"""The live page: 3D robot, camera, plan, reward, an instruction box and a stop button.

viser serves it from threads of its own. What a person does is handed to the three callbacks in such
a thread; what is shown is pushed by whoever owns the page, at a few hertz.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene
from fmrl_robot.view.run_log import RunLog, describe
from fmrl_robot.view.stage import Stage

_STYLE = {
    "done": ("#3fb950", "✓"),
    "running": ("#58a6ff", "▶"),
    "failed": ("#f85149", "✗"),
    "cancelled": ("#d29922", "-"),
    "waiting": ("#7d8899", "·"),
}
_CURVE_POINTS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Actions:
    """What a person can do; called from threads of the page."""

    instruct: Callable[[str], None]
    stop: Callable[[], None]
    rearm: Callable[[], None]
    answer: Callable[[str], None]


class Page:
    """One browser page for one robot."""

    def __init__(
        self, spec: RobotSpec, actions: Actions, port: int, host: str = "127.0.0.1"
    ) -> None:
        import viser

        self._server = viser.ViserServer(host=host, port=port, label="fmrl_robot", verbose=False)
        self.port: int = self._server.get_port()
        gui = self._server.gui
        gui.configure_theme(
            dark_mode=True,
            control_layout="fixed",
            control_width="large",
            show_logo=False,
            show_share_button=False,
            brand_color=(88, 166, 255),
        )
        gui.set_panel_label(f"fmrl_robot · {spec.name}")
        self._aim(spec)
        self.stage = Stage(self._server.scene, spec)
        self._build(gui, actions)
        self._last: dict[str, str] = {}

    def _aim(self, spec: RobotSpec) -> None:
        camera = self._server.initial_camera
        if spec.kind == "arm":
            camera.position, camera.look_at = (1.55, -1.05, 0.95), (0.38, 0.0, 0.22)
        else:
            camera.position, camera.look_at = (1.3, -1.3, 0.8), (0.0, 0.0, 0.2)

    def _build(self, gui: Any, actions: Actions) -> None:
        from viser import uplot

        # First of all, so that nothing above it can grow and move it from under a finger.
        stop = gui.add_button("STOP", color="red", icon="hand-stop")
        instruction = gui.add_text("Instruction", "", hint="what should the robot do?")
        go = gui.add_button("Run it", color="blue", icon="player-play")
        self._state = gui.add_html(_state_html("waiting for the robot", {}))
        rearm = gui.add_button("Re-arm", color="gray", icon="lock-open")
        self._question_folder = gui.add_folder("The robot asks", visible=False)
        with self._question_folder:
            self._question = gui.add_markdown("")
            answer = gui.add_text("Answer", "")
            send = gui.add_button("Send answer", color="green")
        self._camera = gui.add_image(np.zeros((224, 224, 3), np.uint8), label="Camera")
        self._plan = gui.add_html(_plan_html(None))
        self._curve = gui.add_uplot(
            data=(np.array([0.0, 1.0]), np.array([0.0, 0.0])),
            series=(
                uplot.Series(label="s"),
                uplot.Series(label="reward", stroke="#58a6ff", fill="#58a6ff33", width=2),
            ),
            scales={"x": uplot.Scale(time=False), "y": uplot.Scale(auto=True)},
            axes=(uplot.Axis(stroke="#8b98ab"), uplot.Axis(stroke="#8b98ab")),
            title="Reward",
            aspect=1.9,
        )
        self._nodes = gui.add_html("")

        def instruct(_: Any) -> None:
            if instruction.value.strip():
                actions.instruct(instruction.value.strip())

        def reply(_: Any) -> None:
            actions.answer(answer.value)
            answer.value = ""

        go.on_click(instruct)
        stop.on_click(lambda _: actions.stop())
        rearm.on_click(lambda _: actions.rearm())
        send.on_click(reply)

    # --- what is shown ----------------------------------------------------------------------------

    def show_robot(self, q: FloatArray, base: tuple[FloatArray, FloatArray] | None) -> None:
        """Joint positions and, of a floating base, its pose."""
        with self._server.atomic():
            self.stage.move(q, base)

    def show_scene(self, scene: Scene) -> None:
        """The objects."""
        with self._server.atomic():
            self.stage.show(scene)

    def show_camera(self, image: npt.NDArray[np.uint8]) -> None:
        """A frame, RGB uint8 (h, w, 3)."""
        self._camera.image = image

    def show_log(self, log: RunLog, headline: str, nodes: Mapping[str, tuple[str, str]]) -> None:
        """Plan, reward and health; ``nodes`` maps a name to (ok|warn|error|stale, message)."""
        self._set(self._state, "state", _state_html(headline, log.gate))
        self._set(self._plan, "plan", _plan_html(log))
        self._set(self._nodes, "nodes", _nodes_html(nodes))
        points = log.rewards[-_CURVE_POINTS:]
        if len(points) > 1:
            times = np.array([p.time_s for p in points]) - points[0].time_s
            self._curve.data = (times, np.array([p.value for p in points]))

    def ask(self, question: str, options: tuple[str, ...] = ()) -> None:
        """Show a question, or with an empty one take it away."""
        choice = f"\n\nSuggested: {', '.join(options)}" if options else ""
        self._question.content = question + choice
        self._question_folder.visible = bool(question)

    def _set(self, handle: Any, key: str, content: str) -> None:
        if self._last.get(key) != content:
            self._last[key] = handle.content = content

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()


def _state_html(headline: str, gate: Mapping[str, int]) -> str:
    counters = "".join(
        f'<span style="margin-right:14px"><b>{gate[k]:,}</b> {k}</span>'
        for k in ("accepted", "refused", "stops")
        if k in gate
    )
    return (
        '<div style="padding:4px 12px 8px;font-size:13px">'
        f'<div style="font-size:15px;font-weight:600">{html.escape(headline)}</div>'
        f'<div style="opacity:.7;padding-top:3px">{counters}</div></div>'
    )


def _plan_html(log: RunLog | None) -> str:
    task = log.task if log else None
    if task is None:
        return '<div style="padding:8px 12px;opacity:.6">No plan yet.</div>'
    states = {step.subgoal.id: step.state for step in task.steps}
    rows: list[str] = []
    plan = task.plans[-1] if task.plans else None
    for subgoal in plan.subgoals if plan else ():
        color, mark = _STYLE[states.get(subgoal.id, "waiting")]
        rows.append(
            f'<div style="display:flex;gap:9px;padding:4px 0;color:{color}"><b>{mark}</b>'
            f"<span><code>{html.escape(describe(subgoal))}</code></span></div>"
        )
    for problem in plan.problems if plan else ():
        rows.append(
            f'<div style="color:#f85149">{problem.code} {html.escape(problem.message)}</div>'
        )
    color, _ = _STYLE[task.state]
    return (
        '<div style="padding:6px 12px;font-size:13px"><div style="opacity:.6">Plan</div>'
        f'<div style="font-weight:600;padding:3px 0">“{html.escape(task.instruction)}” '
        f'<span style="color:{color}">{task.state}</span></div>{"".join(rows)}</div>'
    )


def _nodes_html(nodes: Mapping[str, tuple[str, str]]) -> str:
    colors = {"ok": "#3fb950", "warn": "#d29922", "error": "#f85149", "stale": "#7d8899"}
    rows = "".join(
        f'<div style="padding:2px 0"><span style="color:{colors[level]}">●</span> '
        f'{html.escape(name)} <span style="opacity:.6">{html.escape(message)}</span></div>'
        for name, (level, message) in sorted(nodes.items())
    )
    return f'<div style="padding:6px 12px;font-size:12px">{rows}</div>'
