"""The live page: 3D robot, camera, plan, reward, an instruction box and a stop button.

viser serves it from threads of its own. What a person does is handed to the callbacks in such a
thread; what is shown is pushed by whoever owns the page, at a few hertz.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene
from fmrl_robot.view import panel
from fmrl_robot.view.chart import reward_chart
from fmrl_robot.view.line_box import add_line_box
from fmrl_robot.view.run_log import RunLog
from fmrl_robot.view.stage import Stage
from fmrl_robot.view.standing import standing


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
        self._robot = spec.name
        gui = self._server.gui
        gui.configure_theme(
            dark_mode=True,
            control_width="large",
            show_logo=False,
            show_share_button=False,
            brand_color=(88, 166, 255),
        )
        gui.main_panel.dock_right()
        gui.set_panel_label(f"fmrl_robot · {spec.name}")
        self._aim(spec)
        self.stage = Stage(self._server.scene, spec)
        self._last: dict[str, object] = {}
        self._build(gui, actions)

    def _aim(self, spec: RobotSpec) -> None:
        camera = self._server.initial_camera
        if spec.kind == "arm":
            camera.position, camera.look_at = (1.55, -1.05, 0.95), (0.38, 0.0, 0.22)
        else:
            camera.position, camera.look_at = (1.3, -1.3, 0.8), (0.0, 0.0, 0.2)

    def _build(self, gui: Any, actions: Actions) -> None:
        # First of all, so that nothing above it can grow and move it from under a finger; and no
        # field near it has a hint, which would open over it.
        stop = gui.add_button("STOP", color="red", icon="hand-stop")
        self._state = gui.add_html("")
        # Always there: a button that appears would push another one under a hand.
        self._rearm = gui.add_button("Re-arm", color="orange", icon="lock-open", disabled=True)
        add_line_box(gui, "Instruction", "Run it", "blue", actions.instruct)
        self._question_folder = gui.add_folder("The robot asks", visible=False)
        with self._question_folder:
            self._question = gui.add_markdown("")
            add_line_box(gui, "Answer", "Send answer", "green", actions.answer)
        self._camera = gui.add_image(np.zeros((240, 320, 3), np.uint8), label="Camera")
        self._texts = {key: gui.add_html("") for key in ("task", "verdict", "chart")}
        self._texts |= {key: gui.add_html("") for key in ("history", "nodes", "tab")}
        stop.on_click(lambda _: actions.stop())
        self._rearm.on_click(lambda _: actions.rearm())
        self.show_log(RunLog(robot=self._robot), {}, 0.0)

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

    def show_log(self, log: RunLog, nodes: Mapping[str, tuple[str, str]], now_s: float) -> None:
        """State, task, reward and health.

        Args:
            log: what happened.
            nodes: from a name to (ok|warn|error|stale, message).
            now_s: the graph's time.
        """
        told, task = standing(log), log.task
        self._set(self._state, "state", panel.standing_html(told, log.gate))
        if self._last.get("rearm") != told.can_rearm:
            self._last["rearm"] = told.can_rearm
            self._rearm.disabled = not told.can_rearm
        for key, content in (
            ("task", panel.plan_html(log)),
            ("verdict", panel.verdict_html(log)),
            ("chart", reward_chart(task, log.scores(task) if task else (), now_s)),
            ("history", panel.history_html(log)),
            ("nodes", panel.nodes_html(nodes)),
            ("tab", panel.tab_html(self._robot, told)),
        ):
            self._set(self._texts[key], key, content)

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
