"""The simulated body as a process: what it publishes, takes, refuses and leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from full_graph import MEASURED
from nav_msgs.msg import Odometry
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from fmrl_msgs import msg as fm
from fmrl_msgs.srv import AcquireLease, ResetSim
from fmrl_nodes import conversions, qos
from fmrl_robot.errors import ErrorCode
from fmrl_robot.robots import robot
from fmrl_robot.types import Predicate
from fmrl_sim import judge
from fmrl_sim.goals import Goal
from fmrl_sim.pacing import PICTURE_AHEAD_S

pytestmark = pytest.mark.graph


class Bench:
    """A sim_node in its own process, and a client here."""

    def __init__(self, name, folder, robot_name, *arguments):
        self.spec, self.namespace, self.folder = robot(robot_name), f"/sim_{name}", folder
        command = [sys.executable, "-m", "fmrl_nodes.sim_node", "--ros-args"]
        command += ["-r", f"__ns:={self.namespace}", "-p", f"robot:={robot_name}"]
        command += ["-p", f"run_dir:={folder}"]
        for argument in arguments:
            command += ["-p", argument]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("probe", namespace=self.namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.got, self.subscriptions = {}, {}
        self.seq, self.lease, self.target = 0, "", None
        self.publisher = self.node.create_publisher(
            fm.JointCommand, "joint_command", qos.JOINT_COMMAND
        )
        self.listen(JointState, "joint_states", qos.SENSOR)
        self.listen(fm.GateState, "gate_state", qos.EVENT)
        self.listen(fm.PredicateArray, "ground_truth/predicates", qos.EVENT)

    def listen(self, kind, topic, profile):
        if topic in self.subscriptions:
            self.node.destroy_subscription(self.subscriptions[topic])
        self.got[topic] = []
        self.subscriptions[topic] = self.node.create_subscription(
            kind, topic, lambda m: self._take(topic, m), profile
        )

    def _take(self, topic, message):
        self.got[topic].append((len(self.got["joint_states"]), message))
        if topic == "joint_states" and self.target is not None:
            self.send(message)

    def send(self, observation, **changes):
        n = self.spec.num_joints
        self.seq += 1
        fields = {
            "seq": self.seq,
            "observation_stamp": observation.header.stamp,
            "lease": self.lease,
            "names": list(self.spec.joint_names),
            "position": [float(v) for v in self.target],
            "velocity": [0.0] * n,
            "effort": [0.0] * n,
            "kp": [float(v) for v in self.spec.kp],
            "kd": [float(v) for v in self.spec.kd],
        }
        self.publisher.publish(fm.JointCommand(**{**fields, **changes}))

    def until(self, done, timeout_s=25.0):
        end = time.monotonic() + timeout_s
        while not done():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < end, "waited in vain"
            self.executor.spin_once(timeout_sec=0.05)

    def call(self, kind, name, request):
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(request)
        self.until(future.done)
        return future.result()

    def arm(self):
        """Take the lease and hold the present pose."""
        answer = self.call(AcquireLease, "acquire_lease", AcquireLease.Request(holder="probe"))
        assert answer.granted
        self.lease = answer.lease
        self.until(lambda: self.got["joint_states"])
        measured = np.array(self.got["joint_states"][-1][1].position)
        self.target = np.clip(measured, self.spec.lower, self.spec.upper)
        self.until(lambda: self.gate.state == fm.GateState.ARMED)

    @property
    def gate(self):
        return self.got["gate_state"][-1][1] if self.got["gate_state"] else fm.GateState()

    def last(self, topic):
        self.until(lambda: self.got[topic])
        return self.got[topic][-1][1]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        self.process.stderr.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=5)
        rclpy.shutdown(context=self.context)


@pytest.fixture
def start(request, tmp_path):
    benches = []

    def begin(robot_name, *arguments):
        name = f"{abs(hash(request.node.name)) % 10**7}"
        benches.append(Bench(name, tmp_path, robot_name, *arguments))
        return benches[-1]

    yield begin
    for bench in benches:
        bench.close()


def _cameras_of(pid, module=b"camera_process"):
    """Process ids of the camera processes, or those of another module, that ``pid`` started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(c) for c in listed if module in Path(f"/proc/{c}/cmdline").read_bytes()]


def test_the_quadrupeds_topics_stamps_and_rates(start):
    bench = start("go2")
    bench.listen(JointState, "joint_states", MEASURED)
    bench.listen(Imu, "imu/data", MEASURED)
    bench.listen(fm.FootContacts, "foot_contacts", MEASURED)
    bench.listen(Odometry, "ground_truth/odom", qos.SENSOR)
    bench.listen(Clock, "/clock", qos.SENSOR)
    bench.until(lambda: len(bench.got["joint_states"]) > 150)
    stamps = {
        topic: [conversions.time_from_msg(m.header.stamp) for _, m in bench.got[topic]][5:145]
        for topic in ("joint_states", "imu/data", "foot_contacts")
    }
    np.testing.assert_allclose(np.diff(stamps["joint_states"]), 0.02, atol=1e-6)
    assert set(stamps["imu/data"]) & set(stamps["joint_states"])
    assert len(set(stamps["imu/data"]) - set(stamps["joint_states"])) <= 10
    contacts = bench.last("foot_contacts")
    assert contacts.legs == ["FL", "FR", "RL", "RR"]
    assert all(contacts.contact)
    weight = sum(contacts.force_n)
    assert 100 < weight < 200  # N, of a robot of 15 kg
    odometry = bench.last("ground_truth/odom")
    assert 0.2 < odometry.pose.pose.position.z < 0.32
    assert odometry.pose.pose.orientation.w > 0.98
    assert list(bench.last("joint_states").name) == list(bench.spec.joint_names)
    facts = {
        str(p)
        for p in conversions.predicates_from_msg(bench.last("ground_truth/predicates").predicates)
    }
    assert {"contact(FL)", "contact(RR)"} <= facts


def test_the_arms_cameras_frames_and_description(start):
    bench = start("panda")
    for camera in ("front", "wrist"):
        bench.listen(Image, f"camera/{camera}/image_raw", qos.SENSOR)
        bench.listen(Image, f"camera/{camera}/depth", qos.SENSOR)
        bench.listen(CameraInfo, f"camera/{camera}/camera_info", qos.SENSOR)
    bench.listen(TFMessage, "tf", qos.EVENT)
    bench.listen(TFMessage, "tf_static", qos.LATCHED)
    bench.listen(String, "robot_description", qos.LATCHED)
    bench.until(lambda: len(bench.got["camera/wrist/depth"]) > 15)
    rgb = bench.last("camera/front/image_raw")
    depth = bench.last("camera/front/depth")
    assert (rgb.encoding, rgb.width, rgb.height) == ("rgb8", 224, 224)
    assert rgb.header.frame_id == depth.header.frame_id == "camera_front_optical_frame"
    metres = conversions.depth_from_msg(depth)
    assert metres.dtype == np.float32
    assert 0.5 < metres.min() < metres.max() < 12
    stamps = [
        conversions.time_from_msg(m.header.stamp) for _, m in bench.got["camera/front/image_raw"]
    ]
    # Never faster than asked; how much slower a loaded machine is, bench/graph measures.
    assert np.diff(stamps).min() > 0.079
    # A cube that ground truth puts somewhere is where camera, depth and frames put it.
    k = np.array(bench.last("camera/front/camera_info").k).reshape(3, 3)
    fixed = {t.child_frame_id: t for t in bench.last("tf_static").transforms}
    assert set(fixed) == {"camera_front_optical_frame", "camera_wrist_optical_frame"}
    pose = fixed["camera_front_optical_frame"].transform
    q, t = pose.rotation, pose.translation
    x, y, z, w = q.x, q.y, q.z, q.w
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    row, column = 215, 112  # bottom of the picture: the table
    ray = np.linalg.inv(k) @ np.array([column + 0.5, row + 0.5, 1.0])
    point = np.array([t.x, t.y, t.z]) + turn @ (metres[row, column] * ray)
    assert abs(point[2]) < 0.01
    links = {tf.child_frame_id for tf in bench.last("tf").transforms}
    assert {"panda_link0", "panda_hand"} <= links
    description = bench.last("robot_description").data
    assert all(name in description for name in bench.spec.joint_names)


def test_commands_move_it_bad_ones_do_not_and_silence_stops_it(start):
    # In step, so that a busy machine keeps the gate's deadlines.
    bench = start("panda", "camera_hz:=0.0", "lockstep_s:=2.0")
    bench.arm()
    before = bench.target.copy()
    for _ in range(20):
        bench.target = bench.target + np.r_[0.02, np.zeros(7)]
        seen = len(bench.got["joint_states"])
        bench.until(lambda seen=seen: len(bench.got["joint_states"]) > seen)
    bench.until(lambda: bench.last("joint_states").position[0] > before[0] + 0.3)

    for code, change in (
        (ErrorCode.COMMAND_NOT_FINITE, {"position": [float("nan")] * 8}),
        (ErrorCode.LEASE_INVALID, {"lease": "stolen"}),
    ):
        # The body reads the newest command only, so a bad one may be overtaken by a good one.
        for _ in range(20):
            bench.send(bench.last("joint_states"), **change)
            seen = len(bench.got["joint_states"])
            bench.until(lambda seen=seen: len(bench.got["joint_states"]) > seen + 8)
            if int(code) in bench.gate.refused_codes:
                break
        assert int(code) in bench.gate.refused_codes
    assert bench.gate.state == fm.GateState.ARMED

    bench.target = None
    bench.until(lambda: bench.gate.state == fm.GateState.STOPPED)
    assert bench.gate.code == int(ErrorCode.COMMAND_SILENCE)
    time.sleep(0.5)
    bench.got["joint_states"].clear()
    assert np.abs(bench.last("joint_states").velocity).max() < 0.05

    assert bench.call(Trigger, "gate/rearm", Trigger.Request()).success
    bench.target = np.array(bench.last("joint_states").position)
    bench.until(lambda: bench.gate.state == fm.GateState.ARMED)
    assert bench.call(Trigger, "stop", Trigger.Request()).success
    bench.until(lambda: bench.gate.code == int(ErrorCode.STOP_REQUESTED))


def test_a_second_holder_is_refused_the_lease(start):
    bench = start("panda", "camera_hz:=0.0", "lockstep_s:=2.0")
    bench.arm()
    other = AcquireLease.Request(holder="intruder")
    assert not bench.call(AcquireLease, "acquire_lease", other).granted


def test_reset_by_seed_and_by_options_and_the_record_tells(start):
    bench = start("panda", "camera_hz:=0.0")
    answer = bench.call(ResetSim, "sim/reset", ResetSim.Request(seed=5))
    assert answer.success, answer.message

    def options(text):
        request = SetParameters.Request()
        request.parameters = [Parameter("scene_options", value=text).to_parameter_msg()]
        bench.call(SetParameters, "sim_node/set_parameters", request)
        return bench.call(ResetSim, "sim/reset", ResetSim.Request(seed=6))

    refused = options('{"at": [["red_cube", "moon"]]}')
    assert not refused.success
    assert refused.error_code == int(ErrorCode.RESET_REFUSED)
    assert options(json.dumps({"at": [["red_cube", "bowl"]]})).success
    inside = Predicate("in", ("red_cube", "bowl"))
    bench.until(
        lambda: (
            inside
            in conversions.predicates_from_msg(bench.last("ground_truth/predicates").predicates)
        )
    )
    assert bench.end() == 0
    assert judge.judge(bench.folder, Goal(predicates=(inside,))).done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_signal_leaves_a_camera_process_behind(start, number):
    bench = start("panda")
    bench.listen(Image, "camera/front/image_raw", qos.SENSOR)
    bench.last("camera/front/image_raw")
    children = _cameras_of(bench.process.pid)
    assert len(children) == 1
    # Large pictures are drawn only for somebody, and by whom everything else goes before.
    assert _cameras_of(bench.process.pid, b"film_process") == []
    bench.listen(CompressedImage, "camera/front/film/compressed", qos.SENSOR)
    film = bench.last("camera/front/film/compressed")
    picture = cv2.imdecode(np.frombuffer(film.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3) and picture.std() > 20
    assert conversions.time_from_msg(film.header.stamp) > 0
    (drawer,) = _cameras_of(bench.process.pid, b"film_process")
    assert os.getpriority(os.PRIO_PROCESS, drawer) > os.getpriority(os.PRIO_PROCESS, children[0])
    code = bench.end(number)
    assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    end = time.monotonic() + 5
    for child in (*children, drawer):
        while Path(f"/proc/{child}").exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert not Path(f"/proc/{child}").exists()


def test_time_waits_for_pictures_that_are_due_but_not_for_ever(start):
    bench = start("panda", "lockstep_s:=2.0")
    bench.listen(Image, "camera/front/image_raw", qos.SENSOR)
    bench.until(lambda: len(bench.got["camera/front/image_raw"]) > 2)
    (camera,) = _cameras_of(bench.process.pid)

    def now():
        return conversions.time_from_msg(bench.last("joint_states").header.stamp)

    def passes(seconds):
        began = now()
        bench.until(lambda: now() > began + seconds)

    os.kill(camera, signal.SIGSTOP)
    try:
        stopped, end = now(), time.monotonic() + 1.5
        bench.until(lambda: time.monotonic() > end)
        assert now() - stopped < PICTURE_AHEAD_S + 0.2
        passes(1.0)
    finally:
        os.kill(camera, signal.SIGCONT)
    seen = len(bench.got["camera/front/image_raw"])
    passes(1.0)
    assert len(bench.got["camera/front/image_raw"]) > seen


def test_an_unknown_robot_is_refused_by_its_code(tmp_path):
    command = [sys.executable, "-m", "fmrl_nodes.sim_node", "--ros-args", "-p", "robot:=hal"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "code=500" in done.stderr
