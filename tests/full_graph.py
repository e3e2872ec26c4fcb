"""The whole graph of a robot as ``fmrl up`` starts it, and a probe beside it, for tests."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteTask
from fmrl_nodes import conversions, qos
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.runtime.launch_xml import LaunchFile, launch_file
from fmrl_robot.runtime.launching import Launcher

NODES = ("sim", "scene", "planner", "controller", "reward", "monitor")
MEASURED = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Twenty seconds wait for a probe that a busy machine holds up, and nothing is missed."""
EPOCH_S = time.time() - time.monotonic()
"""From the monotonic clock to the system's, which stamps messages where they are sent."""


def sent_s(info):
    """When a message was sent, on the monotonic clock in s, however late the probe got to it."""
    return 1e-9 * info["source_timestamp"] - EPOCH_S


class FullGraph:
    """Six processes and a probe, in a domain of their own."""

    def __init__(self, robot, folder, namespace="", **arguments):
        self.spec, self.folder, self.namespace = find_robot(robot), folder, namespace
        self.domain = domain = random.SystemRandom().randrange(30, 100)
        values = {"robot": robot, "namespace": namespace, "run_dir": str(folder), "view_port": "0"}
        processes = LaunchFile(launch_file("sim.launch.xml"), values | arguments).processes
        env = {"ROS_DOMAIN_ID": str(domain), "MUJOCO_GL": "egl"}
        self.processes = [replace(p, env={**p.env, **env}) for p in processes]
        self.launcher, self.again, self.killed = Launcher(self.processes), [], set()
        self.launcher.start()
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("probe", namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.diagnostics, self.states, self.gates, self.scenes = {}, [], [], 0
        self.trunk, self.joints = [], []
        self.simulated_s = 0.0
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, 50)
        self.node.create_subscription(JointState, "joint_states", self._measured, MEASURED)
        self.node.create_subscription(Odometry, "ground_truth/odom", self._carried, MEASURED)
        self.node.create_subscription(
            fm.GateState, "gate_state", lambda m: self.gates.append(m), qos.EVENT
        )
        self.node.create_subscription(fm.Scene, "scene", self._seen, qos.EVENT)
        self.tasks = ActionClient(self.node, ExecuteTask, "execute_task")

    def _diagnosed(self, message):
        for status in message.status:
            self.diagnostics[status.name.rpartition("/")[2].removesuffix("_node")] = status

    def _measured(self, message, info):
        self.states.append((sent_s(info), np.array(message.position)))
        self.simulated_s = conversions.time_from_msg(message.header.stamp)
        self.joints.append((self.simulated_s, self.states[-1][1]))

    def _carried(self, message):
        at = message.pose.pose.position
        self.trunk.append((conversions.time_from_msg(message.header.stamp), (at.x, at.y, at.z)))

    def _seen(self, _):
        self.scenes += 1

    @property
    def gate(self):
        return self.gates[-1] if self.gates else fm.GateState()

    def until(self, done, timeout_s=60.0, what="it"):
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, f"waited {timeout_s} s for {what} in vain"
            self.executor.spin_once(timeout_sec=0.05)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + 5.0)

    def ready(self):
        """Wait until every node is up, sees, and the gate follows the controller."""
        self.until(lambda: self.diagnostics.keys() >= set(NODES), what="diagnostics of all nodes")
        self.until(self.tasks.server_is_ready, what="the planner")
        # A start on a busy machine may trip the gate; what is tested begins after it.
        end = time.monotonic() + 60.0
        while not (self.scenes and self.armed):
            assert time.monotonic() < end, f"waited in vain: {self.gate.reason}"
            if self.gate.state == fm.GateState.STOPPED:
                self.call(Trigger, "gate/rearm", Trigger.Request())
            self.until(lambda: self.scenes and self.gates, what="a scene and the gate's state")
            self.spin(0.5)
        self.stops_before = self.gate.stops
        return self

    def says(self, name):
        """What a node last said of itself; nothing of one that was started again."""
        return self.diagnostics[name].message if name in self.diagnostics else ""

    def told(self):
        """What every node last said of itself, for a test that has to say why it failed."""
        said = {
            name: (d.message, {v.key: v.value for v in d.values})
            for name, d in self.diagnostics.items()
        }
        return f"{said} scenes={self.scenes} simulated_s={self.simulated_s:.2f}"

    @property
    def stops(self):
        """How often the gate has stopped the robot since everything was ready."""
        return self.gate.stops - self.stops_before

    @property
    def armed(self):
        return self.gate.state == fm.GateState.ARMED

    def call(self, kind, name, request):
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, what=name)
        answer = client.call_async(request)
        self.until(answer.done, what=f"an answer of {name}")
        self.node.destroy_client(client)
        return answer.result()

    def begin(self, instruction):
        """Send a task; return the future of its result."""
        goal = ExecuteTask.Goal(instruction=instruction, timeout_s=60.0)
        self.feedback = []
        sent = self.tasks.send_goal_async(goal, feedback_callback=self.feedback.append)
        self.until(sent.done, what="acceptance")
        assert sent.result().accepted
        return sent.result().get_result_async()

    def executing(self):
        return any(m.feedback.phase == "executing" for m in self.feedback)

    def do(self, instruction):
        """Carry out a task and return its result."""
        ending = self.begin(instruction)
        self.until(ending.done, 90.0, instruction)
        return ending.result().result

    @property
    def pids(self):
        """Process ids by node, of the latest where one was started again."""
        return {k: v for launcher in (self.launcher, *self.again) for k, v in launcher.pids.items()}

    def kill(self, name):
        """SIGKILL to one of the nodes; nothing ends the others."""
        os.kill(self.pids[f"{name}_node"], signal.SIGKILL)
        self.killed.add(name)

    def start_again(self, name):
        """Start one of the nodes once more, as somebody does whose node has died."""
        wanted = next(p for p in self.processes if p.name == f"{name}_node")
        self.again.append(Launcher([wanted]))
        self.again[-1].start()
        self.killed.discard(name)
        self.diagnostics.pop(name, None)

    def mend(self):
        """Start again whoever was killed and is needed for a task."""
        for name in sorted(self.killed - {"reward", "monitor"}):
            self.start_again(name)

    def command(self, *words):
        """Run ``fmrl``; its exit code, and what it said."""
        ended = subprocess.run(
            [sys.executable, "-m", "fmrl_robot.cli", *words, "--namespace", self.namespace],
            env={**os.environ, "ROS_DOMAIN_ID": str(self.domain)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended.returncode, ended.stdout + ended.stderr

    def swing(self, seconds=2.0):
        """How far the joint that moves most has moved lately, in rad; infinite after a gap."""
        called = time.monotonic()
        self.until(lambda: self.states[-1][0] > called, what="the joints of now")
        now = self.states[-1][0]
        lately = [q for t, q in self.states if t > now - seconds]
        if len(lately) < 0.5 * seconds / self.spec.command_dt_s:
            return np.inf
        return np.ptp(lately, axis=0).max()

    def moved(self, seconds=2.0):
        """The same by simulated time, which a busy machine stretches: it says of no silence."""
        lately = np.array([q for t, q in self.joints[-1000:] if t > self.simulated_s - seconds])
        if len(lately) < 0.5 * seconds / self.spec.command_dt_s:
            return np.inf
        return np.ptp(lately, axis=0).max()

    def live(self, seconds=2.0):
        """Let so much simulated time go by."""
        end = self.simulated_s + seconds
        self.until(lambda: self.simulated_s > end, 30.0, f"{seconds} s of simulated time")

    def lies(self, seconds=2.0):
        """Whether a quadruped's trunk was down and still for so long, by simulated time."""
        lately = np.array([p for t, p in self.trunk if t > self.simulated_s - seconds])
        if len(lately) < 0.5 * seconds / self.spec.command_dt_s:
            return False
        return lately[:, 2].max() < 0.15 and np.ptp(lately, axis=0).max() < 0.01

    def outside(self):
        """Joints that were ever measured outside their limits, or not finite, and where."""
        q = np.array([q for _, q in self.states])
        low, high = q.min(axis=0), q.max(axis=0)
        # Limits of the model are soft: a finger pressed against its stop gives by a millimetre.
        slack = 0.05 * (self.spec.upper - self.spec.lower)
        inside = (low >= self.spec.lower - slack) & (high <= self.spec.upper + slack)
        named = zip(self.spec.joint_names, low, high, inside, strict=True)
        return {name: (a, b) for name, a, b, good in named if not good}

    def close(self):
        for launcher in self.again:
            launcher.stop()
        codes = self.launcher.stop()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        return codes
