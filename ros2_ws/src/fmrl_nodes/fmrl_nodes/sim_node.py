"""The simulated body: physics in step with the wall clock, the gate, and what sensors would say.

Pictures are drawn in another process; this one only ticks physics, publishes and takes commands, so
that nothing delays the fifty observations a second that the controllers answer.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_msgs.srv import AcquireLease, ResetSim
from fmrl_nodes import conversions, qos
from fmrl_nodes.cameras import Cameras
from fmrl_nodes.lifecycle import ERROR, OK, STEADY, WARN, Diagnosis, FmrlNode, run
from fmrl_nodes.sim_topics import SimTopics
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.safety import Gate, State
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.faults import Fault
from fmrl_sim.pacing import COMMAND_AHEAD_S, Latencies, Lockstep, Pacer
from fmrl_sim.recorder import Recorder
from fmrl_sim.scenes.base import SceneOptions

HOME_SCENES = {"arm": "tabletop", "quadruped": "ground"}
"""The scene in which a kind of robot is at home."""
ARM_AFTER_S = 3.0
"""How long commands have to come on time before the first is followed. While a graph starts, models
are loaded on every core; a second without a stumble was not enough to know that this is over."""
BODY_NICENESS = -10
MAX_TICKS = 2
"""Ticks before commands are read again. After a stall time is caught up in small steps, with an ear
to the controllers; in one go, physics would outrun them and the gate would call them silent."""


class SimNode(FmrlNode):
    """Body of the graph in simulation."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("sim_node", **node_arguments)
        self._spec = robot(self.declare("robot", "panda", "which robot", choices=ROBOTS.names()))
        scene: str = self.declare("scene", "", "which scene; empty: the robot's own")
        self._scene_name = scene or HOME_SCENES[self._spec.kind]
        self._seed: int = self.declare("seed", 0, "seed of the initial state", low=0, high=2**62)
        self.declare("body", "mujoco", "which simulator", choices=("mujoco",))
        self._factor: float = self.declare(
            "real_time_factor", 1.0, "simulated seconds a second", low=0.05, high=20.0
        )
        self._patience: float = self.declare(
            "lockstep_s",
            0.0,
            "wall seconds that time waits for commands and pictures due; 0: never, as on hardware",
            low=0.0,
            high=10.0,
        )
        self.declare("headless", True, "open no window (none is ever opened)")
        self._run_dir: str = self.declare("run_dir", "", "folder for the record; empty: none")
        self._image_size: int = self.declare("image_size", 224, "pixels", low=16, high=1280)
        self._camera_hz: float = self.declare(
            "camera_hz", 10.0, "pictures a simulated second; 0: none", low=0.0, high=60.0
        )
        self._film_width: int = self.declare(
            "film_width",
            640,
            "pixels of the pictures for video and page; 0: none",
            low=0,
            high=1920,
        )
        self._fault: str = self.declare(
            "fault", "", "spoil the run on purpose", choices=("", "freeze", "drop")
        )
        # Settable at run time: it takes effect at the next reset.
        self.declare_parameter("scene_options", "")
        self._body: MujocoBody | None = None
        self._recorder: Recorder | None = None
        self._cameras: Cameras | None = None
        self._ended = ""

    # --- lifecycle --------------------------------------------------------------------------------

    def configure(self) -> None:
        """Build the world, start the cameras and open every topic and service."""
        scene = SCENES.load(self._scene_name)(self._spec.name)
        if self._camera_hz > 0:
            self._cameras = Cameras(
                self,
                scene,
                size=self._image_size,
                hz=self._camera_hz,
                film_width=self._film_width,
                patience_s=self._patience,
            )
        self._gate = Gate(self._spec, arm_after_s=ARM_AFTER_S)
        self._body = MujocoBody(
            scene,
            self._gate,
            seed=self._seed,
            options=self._options(),
            fault=Fault(self._fault) if self._fault else None,
        )
        if self._run_dir:
            self._recorder = Recorder(Path(self._run_dir), self._body)
        self._topics = SimTopics(self, self._body)
        self._pacer, self._latencies = Pacer(self._factor), Latencies()
        self._commands = Lockstep(self._patience, COMMAND_AHEAD_S)
        self._observation_ticks = round(self._spec.command_dt_s / TICK_S)
        self._ticks, self._ticked_at = 0, 0.0
        self.create_service(AcquireLease, "acquire_lease", self._on_lease)
        self.create_service(Trigger, "stop", self._on_stop)
        self.create_service(Trigger, "gate/rearm", self._on_rearm)
        self.create_service(ResetSim, "sim/reset", self._on_reset)
        self.create_subscription(
            fm.JointCommand, "joint_command", self._on_command, qos.JOINT_COMMAND
        )
        self.create_timer(TICK_S / max(1.0, self._factor), self._advance, clock=STEADY)

    def activate(self) -> None:
        """Let time run."""
        if self._cameras is not None and not self._cameras.wait():
            self.get_logger().error("the camera process is not ready; going on without pictures")
        self._topics.describe()
        # What was loaded lives as long as the process: keep it out of the collector's passes.
        gc.collect()
        gc.freeze()
        self._pacer.restart(time.monotonic(), self._world.now)
        self._wait_for_nobody()

    def deactivate(self) -> None:
        """Let time stand still; the gate, which counts physics time, trips nothing."""

    def cleanup(self) -> None:
        """Write the record and end the cameras."""
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            try:
                recorder.close(self._ended)
                self._latencies.save(Path(self._run_dir))
            except ConfigError as error:
                self.get_logger().error(f"code={int(error.code)} {error}")
        if self._cameras is not None:
            self._cameras.close()
            self._cameras = None

    def close(self) -> None:
        """The same, where the process ends without a transition."""
        self.cleanup()

    def diagnose(self) -> Diagnosis:
        """Report the gate, the pace, and how fast commands come back."""
        if self._body is None:
            return Diagnosis(level=WARN, message="no world yet")
        status = self._gate.status()
        values = {
            "time_s": f"{self._body.now:.2f}",
            "gate": status.state.name,
            "reason": status.reason,
            "lost_s": f"{self._pacer.lost_s:.2f}",
            **{name: f"{value:.2f}" for name, value in self._latencies.summary().items()},
        }
        if self._cameras is not None and not self._cameras.alive:
            return Diagnosis(level=ERROR, message="the camera process has ended", values=values)
        if self._recorder is not None and self._recorder.problem:
            return Diagnosis(level=WARN, message=self._recorder.problem, values=values)
        if status.state in (State.STOPPED, State.REARMING):
            return Diagnosis(level=WARN, message=f"stopped: {status.reason}", values=values)
        return Diagnosis(level=OK, message=status.state.name.lower(), values=values)

    # --- time -------------------------------------------------------------------------------------

    @property
    def _world(self) -> MujocoBody:
        if self._body is None:
            raise FmrlError("expected a configured simulator", ErrorCode.CONFIG_INVALID)
        return self._body

    def _advance(self) -> None:
        if not self.active:
            return
        body = self._world
        wall = time.monotonic()
        target = self._pacer.target(wall, body.now)
        for _ in range(MAX_TICKS):
            if body.now + TICK_S > target + 1e-9 or self._somebody_is_late(body.now, wall):
                break
            if self._ticks % self._observation_ticks == 0:
                self._observe(body)
            try:
                body.tick()
            except FmrlError as error:
                self._ended = f"code={int(error.code)} {error}"
                raise
            self._ticks += 1
            self._ticked_at = time.monotonic()
        if self._cameras is not None:
            self._cameras.take(body)

    def _somebody_is_late(self, now_s: float, wall_s: float) -> bool:
        if self._gate.state is State.STOPPED:
            self._commands.restart()  # nobody commands a stopped robot
        return self._commands.waits(now_s, wall_s) or (
            self._cameras is not None and self._cameras.late(now_s, wall_s)
        )

    def _wait_for_nobody(self) -> None:
        self._commands.restart()
        if self._cameras is not None:
            self._cameras.restart()

    def _observe(self, body: MujocoBody) -> None:
        """Let controllers have their observation first; what nobody waits for comes after it."""
        state = body.read()
        self._topics.observe(state)
        self._latencies.sent(state.stamp_s, time.monotonic())
        if self._recorder is not None:
            self._recorder.add(body)
        self._topics.tell(self._gate.status())

    # --- commands and services --------------------------------------------------------------------

    def _on_command(self, message: fm.JointCommand) -> None:
        if not self.active:
            return
        wall = time.monotonic()
        command = conversions.command_from_msg(message)
        # Physics stands still between ticks; the command came in the meantime.
        since = min((wall - self._ticked_at) * self._factor, TICK_S) if self._ticks else 0.0
        refusal = self._gate.submit(command, self._world.now + since)
        if refusal is None or refusal[0] is not ErrorCode.LEASE_INVALID:
            self._latencies.answered(command.observation_stamp_s, wall)
            # Who claims to have answered what is yet to come would be waited for no more.
            if command.observation_stamp_s < self._world.now + TICK_S:
                self._commands.heard(command.observation_stamp_s, wall)
        if refusal is not None:
            code, why = refusal
            self.get_logger().warning(
                f"refused command seq={command.seq} code={int(code)} {why}",
                throttle_duration_sec=1.0,
                throttle_time_source_type=STEADY,
            )

    def _on_lease(
        self, request: AcquireLease.Request, response: AcquireLease.Response
    ) -> AcquireLease.Response:
        response.granted, response.lease, response.message = self._gate.acquire(
            request.holder, request.take_over, request.max_delay_s
        )
        return response

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._gate.stop("asked to stop by the service")
        response.success, response.message = True, f"stopping: {self._spec.stop_kind}"
        return response

    def _on_rearm(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = self._gate.rearm()
        return response

    def _on_reset(
        self, request: ResetSim.Request, response: ResetSim.Response
    ) -> ResetSim.Response:
        try:
            self._world.reset(request.seed, self._options())
            self._wait_for_nobody()
        except (FmrlError, ValueError) as error:
            response.success, response.error_code = False, int(ErrorCode.RESET_REFUSED)
            response.message = str(error)
            return response
        response.success = True
        response.message = f"scene {self._scene_name}, seed {request.seed}"
        return response

    def _options(self) -> SceneOptions:
        """Read the parameter ``scene_options``: JSON of SceneOptions, or nothing."""
        parameter: Parameter = self.get_parameter("scene_options")
        text = str(parameter.value or "")
        try:
            return SceneOptions.from_json(json.loads(text)) if text else SceneOptions()
        except json.JSONDecodeError as error:
            raise FmrlError(
                f"expected scene_options as JSON, got {text!r}: {error}", ErrorCode.RESET_REFUSED
            ) from error


def main() -> int:
    """Be the process ``sim_node``."""
    return run(SimNode, niceness=BODY_NICENESS)


if __name__ == "__main__":
    sys.exit(main())
