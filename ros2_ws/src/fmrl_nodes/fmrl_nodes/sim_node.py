"""The simulated body: physics in step with the wall clock, the gate, and what sensors would say.

Pictures are drawn in another process; this one only ticks physics, publishes and takes commands, so
that nothing delays the fifty observations a second that the controllers answer.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, Imu, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from fmrl_msgs import msg as fm
from fmrl_msgs.srv import AcquireLease, ResetSim
from fmrl_nodes import conversions, qos
from fmrl_nodes.film import Film
from fmrl_nodes.lifecycle import ERROR, OK, STEADY, WARN, Diagnosis, FmrlNode, run
from fmrl_nodes.sim_messages import (
    WORLD,
    Frames,
    camera_info_to_msg,
    gate_to_msg,
    odometry_to_msg,
    optical_frame,
)
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.safety import Gate, State
from fmrl_sim import urdf
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.camera_process import CameraProcess
from fmrl_sim.faults import Fault
from fmrl_sim.pacing import COMMAND_AHEAD_S, PICTURE_AHEAD_S, Latencies, Lockstep, Pacer
from fmrl_sim.recorder import Recorder
from fmrl_sim.scenes.base import SceneOptions, SceneState
from fmrl_sim.true_scene import true_scene

HOME_SCENES = {"arm": "tabletop", "quadruped": "ground"}
"""The scene in which a kind of robot is at home."""
ARM_AFTER_S = 3.0
"""How long commands have to come on time before the first is followed. While a graph starts, models
are loaded on every core; a second without a stumble was not enough to know that this is over."""
BODY_NICENESS = -10
MAX_TICKS = 2
"""Ticks before commands are read again. After a stall time is caught up in small steps, with an ear
to the controllers; in one go, physics would outrun them and the gate would call them silent."""
SLOW_EVERY = 5
"""Observations from one publication of gate and facts to the next: ten a second."""


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
        self._cameras: CameraProcess | None = None
        self._film: Film | None = None
        self._ended = ""

    # --- lifecycle --------------------------------------------------------------------------------

    def configure(self) -> None:
        """Build the world, start the cameras and open every topic and service."""
        scene = SCENES.load(self._scene_name)(self._spec.name)
        if self._camera_hz > 0:
            self._cameras = CameraProcess(scene, self._image_size)
            if self._film_width:
                self._film = Film(self, scene, self._film_width)
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
        self._frames = Frames(self._body)
        self._pacer, self._latencies = Pacer(self._factor), Latencies()
        self._commands = Lockstep(self._patience, COMMAND_AHEAD_S)
        period = 1.0 / self._camera_hz if self._camera_hz else 0.0
        self._pictures = Lockstep(self._patience, PICTURE_AHEAD_S + period)
        self._observation_ticks = round(self._spec.command_dt_s / TICK_S)
        self._ticks = self._observations = 0
        self._ticked_at = 0.0
        self._next_picture_s = 0.0
        self._unsent: deque[tuple[Publisher, Any]] = deque()
        self._gate_state = State.DISARMED
        self._open_topics()
        self.create_service(AcquireLease, "acquire_lease", self._on_lease)
        self.create_service(Trigger, "stop", self._on_stop)
        self.create_service(Trigger, "gate/rearm", self._on_rearm)
        self.create_service(ResetSim, "sim/reset", self._on_reset)
        self.create_subscription(
            fm.JointCommand, "joint_command", self._on_command, qos.JOINT_COMMAND
        )
        self.create_timer(TICK_S / max(1.0, self._factor), self._advance, clock=STEADY)

    def _open_topics(self) -> None:
        pub = self.create_publisher
        self._clock_pub = pub(Clock, "/clock", qos.SENSOR)
        self._joints_pub = pub(JointState, "joint_states", qos.SENSOR)
        self._gate_pub = pub(fm.GateState, "gate_state", qos.EVENT)
        self._facts_pub = pub(fm.PredicateArray, "ground_truth/predicates", qos.EVENT)
        self._scene_pub = pub(fm.Scene, "ground_truth/scene", qos.EVENT)
        self._tf_pub = pub(TFMessage, "tf", qos.EVENT)
        self._static_pub = pub(TFMessage, "tf_static", qos.LATCHED)
        self._description_pub = pub(String, "robot_description", qos.LATCHED)
        if self._spec.kind == "quadruped":
            self._imu_pub = pub(Imu, "imu/data", qos.SENSOR)
            self._feet_pub = pub(fm.FootContacts, "foot_contacts", qos.SENSOR)
            self._odometry_pub = pub(Odometry, "ground_truth/odom", qos.SENSOR)
        self._camera_pubs = {
            camera: (
                pub(Image, f"camera/{camera}/image_raw", qos.SENSOR),
                pub(Image, f"camera/{camera}/depth", qos.SENSOR),
                pub(CameraInfo, f"camera/{camera}/camera_info", qos.SENSOR),
            )
            for camera in (self._world.scene.cameras if self._cameras else ())
        }

    def activate(self) -> None:
        """Let time run."""
        if self._cameras is not None and not self._cameras.wait():
            self.get_logger().error("the camera process is not ready; going on without pictures")
        body = self._world
        self._description_pub.publish(String(data=urdf.write(body.model, body.robot)))
        self._static_pub.publish(self._frames.fixed())
        # What was loaded lives as long as the process: keep it out of the collector's passes.
        gc.collect()
        gc.freeze()
        self._pacer.restart(time.monotonic(), body.now)
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
        for pictures in (self._cameras, self._film):
            if pictures is not None:
                pictures.close()
        self._cameras = self._film = None

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
        if self._film is not None:
            self._film.take(body, self._unsent)
        self._take_pictures(body)

    def _somebody_is_late(self, now_s: float, wall_s: float) -> bool:
        if self._gate.state is State.STOPPED:
            self._commands.restart()  # nobody commands a stopped robot
        return self._commands.waits(now_s, wall_s) or self._pictures.waits(now_s, wall_s)

    def _wait_for_nobody(self) -> None:
        self._commands.restart()
        self._pictures.restart()

    def _observe(self, body: MujocoBody) -> None:
        """Publish the clock and one observation, the joints last, then what nobody waits for."""
        state = body.read()
        stamp = state.stamp_s
        self._clock_pub.publish(Clock(clock=conversions.time_to_msg(stamp)))
        if state.quaternion is not None and state.angular_velocity is not None:
            forces = body.foot_forces()
            self._imu_pub.publish(
                conversions.imu_to_msg(
                    state.quaternion, state.angular_velocity, stamp, self._spec.base_body
                )
            )
            self._feet_pub.publish(
                conversions.contacts_to_msg(self._spec.legs, forces > 0.0, forces, stamp)
            )
        self._joints_pub.publish(
            conversions.joint_state_to_msg(
                self._spec.joint_names, state.q, state.dq, state.tau, stamp
            )
        )
        self._latencies.sent(stamp, time.monotonic())
        if self._recorder is not None:
            self._recorder.add(body)
        self._tf_pub.publish(self._frames.moving())
        if state.quaternion is not None:
            self._odometry_pub.publish(odometry_to_msg(body))
        status = self._gate.status()
        if self._observations % SLOW_EVERY == 0 or status.state != self._gate_state:
            self._gate_state = status.state
            self._gate_pub.publish(gate_to_msg(status, stamp))
        if self._observations % SLOW_EVERY == 0:
            truth = true_scene(body)
            self._facts_pub.publish(
                fm.PredicateArray(
                    header=conversions.header(stamp),
                    predicates=conversions.predicates_to_msg(truth.predicates),
                )
            )
            # For scenes without perception; a scene_node relays it only where it is told to.
            if self._scene_pub.get_subscription_count():
                self._scene_pub.publish(conversions.scene_to_msg(truth, WORLD))
        self._observations += 1

    # --- pictures ---------------------------------------------------------------------------------

    def _take_pictures(self, body: MujocoBody) -> None:
        if self._cameras is None:
            return
        shot = self._cameras.poll()
        if shot is not None:
            self._pictures.heard(shot.stamp_s, time.monotonic())
            for camera, frame in shot.frames.items():
                image, depth, info = self._camera_pubs[camera]
                name = optical_frame(camera)
                height, width = frame.depth.shape
                self._unsent += [
                    (image, conversions.image_to_msg(frame.rgb, shot.stamp_s, name)),
                    (depth, conversions.image_to_msg(frame.depth, shot.stamp_s, name)),
                    (info, camera_info_to_msg(body.model, camera, width, height, shot.stamp_s)),
                ]
        if self._unsent:
            # One at a time: all of a moment are more than the buffer of a reader's socket may hold.
            publisher, message = self._unsent.popleft()
            publisher.publish(message)
        if body.now < self._next_picture_s:
            return
        if self._cameras.ask(body.now, SceneState.of(body.data)):
            period = 1.0 / self._camera_hz
            self._next_picture_s = max(self._next_picture_s + period, body.now)

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
