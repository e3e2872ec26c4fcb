"""Watches the graph: records it, shows it in a browser, asks people what the planner wants to know.

It is a process of its own, draws at a few hertz, and nothing waits for it: the robot runs the same
whether anybody looks or not.
"""

from __future__ import annotations

import math
import queue
import sys
import time
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage, Imu, JointState
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_msgs.action import AskHuman, ExecuteTask
from fmrl_nodes import conversions
from fmrl_nodes.historian import Historian
from fmrl_nodes.lifecycle import STEADY, WARN, Diagnosis, FmrlNode, run
from fmrl_nodes.tap import Tap
from fmrl_robot.errors import ConfigError
from fmrl_robot.files import replacing
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.types import FloatArray, Scene
from fmrl_robot.view.mcap_log import McapLog
from fmrl_robot.view.page import Actions, Page
from fmrl_robot.view.report import render
from fmrl_robot.view.run_log import RunLog
from fmrl_robot.view.standing import caption
from fmrl_robot.view.video import VideoLog

STALE_S = 3.0
"""A node that has not diagnosed itself for this long is shown as stale."""

FILM = "camera/{camera}/film/compressed"
"""Large pictures for people, which a simulated body offers."""
FILM_PATIENCE_S = 3.0
"""How long one of them stands for those that do not come."""
FILM_SIZE = (640, 480)

_LEVELS = {0: "ok", 1: "warn", 2: "error", 3: "stale"}


class MonitorNode(FmrlNode):
    """Recorder, page, report, action server ``ask_human``."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("monitor_node", **node_arguments)
        self._spec = robot(self.declare("robot", "panda", "which robot", choices=ROBOTS.names()))
        self._run_dir: str = self.declare("run_dir", "", "folder of this run; empty: no recording")
        self._port: int = self.declare(
            "view_port", 8080, "port of the page; 0: none", low=0, high=65535
        )
        self._host: str = self.declare("view_host", "127.0.0.1", "address the page listens on")
        self._headless: bool = self.declare("headless", True, "do not open a browser")
        default_camera = "front" if self._spec.kind == "arm" else "follow"
        self._camera: str = self.declare("camera", default_camera, "the camera shown and filmed")
        self._page_hz: float = self.declare("page_hz", 10.0, "redraws a second", low=0.5, high=30.0)
        self._page: Page | None = None
        self._mcap: McapLog | None = None
        self._video: VideoLog | None = None
        self._q: FloatArray | None = None
        self._base: Any = None
        self._scene: Scene | None = None
        self._frame: Any = None
        self._filmed = -math.inf
        self._nodes: dict[str, tuple[float, Any]] = {}
        self._asked: Future[str] | None = None
        self._todo: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lost = False

    # --- lifecycle --------------------------------------------------------------------------------

    def configure(self) -> None:
        """Open the recording, the page and the taps."""
        folder = Path(self._run_dir) if self._run_dir else None
        self._historian = Historian(
            RunLog(robot=self._spec.name, title=folder.name if folder else "not recorded"),
            clock=lambda: conversions.time_from_msg(self.get_clock().now().to_msg()),
            on_end=self._on_task_end,
        )
        if folder is not None:
            self._mcap = McapLog(folder / f"{folder.name}.mcap")
            self._video = VideoLog(folder / "video.mp4", size=FILM_SIZE)
        self._tap = Tap(self, self._mcap)
        self._listen()
        self._open_doors()
        if self._port:
            self._wake = self.create_guard_condition(self._work_off)
            actions = Actions(
                instruct=lambda text: self._later(partial(self._instruct, text)),
                stop=lambda: self._later(partial(self._trigger, self._stop_client)),
                rearm=lambda: self._later(partial(self._trigger, self._rearm_client)),
                answer=lambda text: self._later(partial(self._answer, text)),
            )
            self._page = Page(self._spec, actions, self._port, self._host)
            url = f"http://{self._host}:{self._page.port}"
            self.get_logger().info(f"page={url}")
            if not self._headless:
                webbrowser.open(url)
            self.create_timer(1.0 / self._page_hz, self._draw, clock=STEADY)
            self.create_timer(0.5, self._draw_log, clock=STEADY)
        self.create_timer(0.5, self._tap.discover, clock=STEADY)
        self.create_timer(1.0, self._publish_health, clock=STEADY)

    def _listen(self) -> None:
        history, tap = self._historian, self._tap
        for topic, handler in (
            ("plan", history.plan),
            ("subgoal", history.subgoal),
            ("reward", history.reward),
            ("fm_usage", history.usage),
            ("gate_state", history.gate),
            ("ground_truth/predicates", history.facts),
            ("execute_subgoal/_action/status", history.subgoal_status),
            ("execute_task/_action/status", history.task_status),
            ("execute_task/_action/feedback", history.task_feedback),
            ("joint_states", self._on_joints),
            ("scene", self._on_scene),
            ("/diagnostics", self._on_diagnostics),
            (f"camera/{self._camera}/image_raw", self._on_frame),
            (FILM.format(camera=self._camera), self._on_film),
        ):
            tap.handle(topic, handler)
        if self._spec.kind == "quadruped":
            tap.handle("ground_truth/odom", self._on_odometry)
            tap.handle("imu/data", self._on_imu)

    def _open_doors(self) -> None:
        self._health = self.create_publisher(DiagnosticArray, "/diagnostics_agg", 10)
        self._stop_client = self.create_client(Trigger, "stop")
        self._rearm_client = self.create_client(Trigger, "gate/rearm")
        self._task_client = ActionClient(self, ExecuteTask, "execute_task")
        # The action's own service: its client only asks for the results of its own goals.
        self._results = self.create_client(
            ExecuteTask.Impl.GetResultService, "execute_task/_action/get_result"
        )
        self._ask_server = ActionServer(
            self,
            AskHuman,
            "ask_human",
            execute_callback=self._ask,
            goal_callback=lambda _: (
                GoalResponse.REJECT if self._page is None or self._asked else GoalResponse.ACCEPT
            ),
            cancel_callback=self._cancel_question,
        )

    def close(self) -> None:
        """Write what a run leaves behind."""
        if self._page is not None:
            self._page.close()
        if self._video is not None:
            self._video.close()
        if self._mcap is not None:
            self._mcap.close()
            self._tell_losses()
        self._write_report()

    def _write_report(self) -> None:
        if self._mcap is None:
            return
        folder = Path(self._run_dir)
        files = tuple(
            sorted(
                p.name for p in folder.iterdir() if p.suffix in (".mp4", ".mcap", ".json", ".npz")
            )
        )
        text = render(self._historian.log, files)
        try:
            # A reader who reloads must never see half a page.
            with replacing(folder / "report.html") as draft:
                draft.write_text(text, encoding="utf-8")
        except ConfigError as error:
            self.get_logger().error(f"code={int(error.code)} {error}")

    def _tell_losses(self) -> str:
        """Say what could not be written, in words; empty where everything was."""
        told: list[str] = []
        if self._mcap is not None and self._mcap.error:
            log = self._mcap
            told.append(f"recorded {log.written} messages, lost {log.dropped}: {log.error}")
        if self._video is not None and self._video.error:
            told.append(self._video.error)
        text = "; ".join(told)
        if text and not self._lost:
            self._lost = True
            self.get_logger().error(text)
        if text:
            self._historian.log.losses = text
        return text

    def diagnose(self) -> Diagnosis:
        """Report what was recorded and what was lost."""
        values: dict[str, object] = {"page": self._page.port if self._page else "none"}
        if self._mcap is not None:
            values |= {"recorded": self._mcap.written, "dropped": self._mcap.dropped}
        if lost := self._tell_losses():
            return Diagnosis(level=WARN, message=lost, values=values)
        return Diagnosis(message="watching", values=values)

    # --- what the graph says ----------------------------------------------------------------------

    def _on_joints(self, message: JointState) -> None:
        self._q = conversions.joint_state_from_msg(message, self._spec)[0]
        self._historian.log.moves = True

    def _on_odometry(self, message: Odometry) -> None:
        pose = conversions.pose_from_msg(message.pose.pose, "world")
        self._base = (pose.position, pose.quaternion)

    def _on_imu(self, message: Imu) -> None:
        orientation = conversions.imu_from_msg(message)[0]
        if not self.count_publishers("ground_truth/odom"):
            height = np.array([0.0, 0.0, self._spec.base_height_m])
            self._base = (height, orientation)

    def _on_scene(self, message: fm.Scene) -> None:
        self._scene = conversions.scene_from_msg(message)

    def _on_frame(self, message: Any) -> None:
        """A picture as perception sees it: while there is a film, that is shown instead."""
        if time.monotonic() - self._filmed > FILM_PATIENCE_S:
            self._see(conversions.color_from_msg(message), message.header.stamp)

    def _on_film(self, message: CompressedImage) -> None:
        image = conversions.compressed_from_msg(message)
        self._filmed = time.monotonic()
        self._see(image, message.header.stamp)

    def _see(self, image: Any, stamp: Any) -> None:
        log = self._historian.log
        self._frame = log.final_frame = image
        if self._video is not None:
            self._video.add(image, *caption(log), time_s=conversions.time_from_msg(stamp))

    def _on_task_end(self, task_id: str) -> None:
        """Ask why a task ended as it did, whoever had asked for it, and report it."""
        if not self._results.service_is_ready():
            self._write_report()
            return
        request = ExecuteTask.Impl.GetResultService.Request()
        request.goal_id.uuid = list(bytes.fromhex(task_id))

        def take(call: Any) -> None:
            result = call.result().result
            self._historian.log.explain(task_id, result.error_code, result.error_msg)
            self._write_report()

        self._results.call_async(request).add_done_callback(take)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._nodes[status.name] = (time.monotonic(), status)

    def _states(self) -> dict[str, tuple[str, str]]:
        now = time.monotonic()
        return {
            name: (
                "stale" if now - heard > STALE_S else _LEVELS.get(status.level[0], "error"),
                status.message if now - heard <= STALE_S else f"silent for {now - heard:.0f} s",
            )
            for name, (heard, status) in self._nodes.items()
        }

    def _publish_health(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        levels = {
            name: level.encode() for level, name in zip("\0\1\2\3", _LEVELS.values(), strict=True)
        }
        for name, (level, text) in self._states().items():
            status = self._nodes[name][1]
            status.level, status.message = levels[level], text
            message.status.append(status)
        self._health.publish(message)

    # --- the page ---------------------------------------------------------------------------------

    def _draw(self) -> None:
        page = self._page
        if page is None:
            return
        if self._q is not None:
            page.show_robot(self._q, self._base)
        if self._frame is not None:
            page.show_camera(self._frame)
            self._frame = None

    def _draw_log(self) -> None:
        page = self._page
        if page is None:
            return
        if self._scene is not None:
            page.show_scene(self._scene)
            self._scene = None
        page.show_log(self._historian.log, self._states(), self._historian.now_s)

    def _later(self, job: Callable[[], None]) -> None:
        """Run ``job`` in the executor's thread; the page calls this from its own threads."""
        self._todo.put(job)
        if self.context.ok():
            self._wake.trigger()

    def _work_off(self) -> None:
        while not self._todo.empty():
            self._todo.get()()

    def _instruct(self, text: str) -> None:
        if not self._task_client.server_is_ready():
            self._historian.log.notice = "no planner is listening"
            return
        self._historian.log.notice = f"asked: {text}"
        self._task_client.send_goal_async(ExecuteTask.Goal(instruction=text)).add_done_callback(
            partial(self._on_task_answer, text)
        )

    def _on_task_answer(self, text: str, sent: Any) -> None:
        log = self._historian.log
        if sent.result().accepted:
            goal = bytes(sent.result().goal_id.uuid).hex()
            log.begin_task(self._historian.now_s, goal, text)
        else:
            log.notice = f"the planner is not ready and did not take “{text}”"

    def _trigger(self, client: Any) -> None:
        if client.service_is_ready():
            client.call_async(Trigger.Request()).add_done_callback(
                lambda call: self._historian.log.note(
                    self._historian.now_s,
                    "human",
                    f"{client.srv_name}: {getattr(call.result(), 'message', 'no answer')}",
                )
            )
        else:
            self._historian.log.notice = f"no body offers {client.srv_name}"

    # --- questions --------------------------------------------------------------------------------

    async def _ask(self, goal: Any) -> AskHuman.Result:
        request, page = goal.request, self._page
        self._asked = Future(executor=self.executor)
        if page is not None:
            page.ask(request.question, tuple(request.options))
        self._historian.log.note(self._historian.now_s, "human", f"asked: {request.question}")
        timer = None
        if 0 < request.timeout_s < float("inf"):
            timer = self.create_timer(request.timeout_s, lambda: self._answer(""), clock=STEADY)
        began = time.monotonic()
        answer = await self._asked
        self._asked = None
        if timer is not None:
            self.destroy_timer(timer)
        if page is not None:
            page.ask("")
        self._historian.log.note(self._historian.now_s, "human", f"answered: {answer!r}")
        if goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.succeed()
        self.get_logger().info(f"question answered={bool(answer)} s={time.monotonic() - began:.1f}")
        return AskHuman.Result(answered=bool(answer), answer=answer)

    def _answer(self, text: str) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(text)

    def _cancel_question(self, _: Any) -> CancelResponse:
        self.executor.create_task(self._answer, "")
        return CancelResponse.ACCEPT


def main() -> int:
    """Be the process ``monitor_node``."""
    # Recording is the first thing to give way when the machine is short of time.
    return run(MonitorNode, niceness=5)


if __name__ == "__main__":
    sys.exit(main())
