"""The monitor as a process, watching a graph played by the test; its page in a real browser."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("viser", reason="needs the view extra")

import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image, JointState
from std_srvs.srv import Trigger

from fmrl_msgs import msg as fm
from fmrl_msgs.action import AskHuman, ExecuteTask
from fmrl_nodes import conversions, qos
from fmrl_robot.robots import PANDA
from fmrl_robot.types import Plan, PlanStatus, Predicate, RewardOut, SubGoal, SubGoalKind

pytestmark = pytest.mark.graph

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
GRASP = SubGoal(
    id="0",
    kind=SubGoalKind.REGION,
    skill="grasp",
    target="red_cube",
    termination=Predicate("held", ("red_cube",)),
    text="the gripper holds the red cube",
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def limit_files(size):
    """As a disk that takes so many bytes of each file, and no more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Graph:
    """Everything but the monitor."""

    def __init__(self, folder, port, file_bytes=None):
        self.namespace = f"/m{os.getpid()}_{port}"
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("world", namespace=self.namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        make = self.node.create_publisher
        self.joints = make(JointState, "joint_states", qos.SENSOR)
        self.frames = make(Image, "camera/front/image_raw", qos.SENSOR)
        self.plan = make(fm.Plan, "plan", qos.LATCHED)
        self.subgoal = make(fm.SubGoal, "subgoal", qos.SUBGOAL)
        self.reward = make(fm.Reward, "reward", qos.EVENT)
        self.instructions, self.stops = [], []
        self.picture = np.full((224, 224, 3), 90, np.uint8)
        ActionServer(self.node, ExecuteTask, "execute_task", self._execute)
        self.node.create_service(Trigger, "stop", self._stop)
        self.node.create_timer(0.1, self._publish)
        self.started = time.time()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "fmrl_nodes.monitor_node", "--ros-args"),
                *("-r", f"__ns:={self.namespace}", "-p", f"run_dir:={folder}"),
                *("-p", f"view_port:={port}"),
            ],
            preexec_fn=file_bytes and (lambda: limit_files(file_bytes)),
        )

    def _execute(self, goal):
        self.instructions.append(goal.request.instruction)
        goal.succeed()
        return ExecuteTask.Result(success=True)

    def _stop(self, request, response):
        self.stops.append(True)
        response.success = True
        return response

    def _publish(self):
        now = time.time()
        self.joints.publish(
            conversions.joint_state_to_msg(PANDA.joint_names, PANDA.default, np.zeros(8), None, now)
        )
        # A chunk of the recording holds many pictures: alike, they would take the room of one.
        self.picture = np.roll(self.picture, 1)
        self.frames.publish(conversions.image_to_msg(self.picture, now, "front"))
        out = RewardOut(value=(now - self.started) / 10)
        self.reward.publish(
            conversions.reward_to_msg(out, stamp_s=now, subgoal_id="0", source="vlm_rm")
        )

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)

    def until(self, done, timeout_s=20.0):
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, "waited in vain"
            assert self.process.poll() is None, "the monitor died"
            self.executor.spin_once(timeout_sec=0.05)

    def tell(self):
        plan = Plan(
            instruction="put the red cube in the bowl",
            method="psl",
            task_id="t",
            subgoals=(GRASP,),
            status=PlanStatus.VALID,
        )
        self.plan.publish(conversions.plan_to_msg(plan, time.time()))
        self.subgoal.publish(conversions.subgoal_to_msg(GRASP, time.time()))

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.process.wait(10.0)

    def close(self):
        self.process.kill()
        self.process.wait(5.0)
        rclpy.shutdown(context=self.context)


@pytest.fixture
def graph(tmp_path):
    graph = Graph(tmp_path / "run", free_port())
    try:
        graph.until(lambda: graph.frames.get_subscription_count() > 0)
        yield graph
    finally:
        graph.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_leaves_recording_video_and_report(graph, tmp_path, how):
    from mcap_ros2.reader import read_ros2_messages

    graph.until(lambda: graph.plan.get_subscription_count() > 0)
    graph.spin(1.5)
    graph.tell()
    graph.spin(2.0)
    began = time.monotonic()
    assert graph.end(how) == 0
    assert time.monotonic() - began < 5.0
    folder = tmp_path / "run"
    seen = {}
    for message in read_ros2_messages(str(folder / "run.mcap")):
        seen.setdefault(message.channel.topic.removeprefix(graph.namespace), message.ros_msg)
    assert seen["/plan"].instruction == "put the red cube in the bowl"
    assert seen["/camera/front/image_raw/compressed"].data[:2] == b"\xff\xd8"
    assert list(seen["/joint_states"].position) == PANDA.default.tolist()
    assert "/camera/front/image_raw" not in seen
    assert (folder / "video.mp4").stat().st_size > 1000
    report = (folder / "report.html").read_text()
    assert "put the red cube in the bowl" in report
    assert "<polyline" in report


def test_on_a_full_disk_the_monitor_lives_and_tells_what_it_has(tmp_path):
    from diagnostic_msgs.msg import DiagnosticArray
    from mcap.reader import NonSeekingReader

    graph, told = Graph(tmp_path / "run", 0, file_bytes=1_500_000), []
    try:
        graph.picture = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
        graph.node.create_subscription(
            DiagnosticArray,
            "/diagnostics",
            lambda m: told.extend(s for s in m.status if s.name.endswith("monitor_node")),
            10,
        )
        graph.until(lambda: told and "lost" in told[-1].message, 30.0)
        values = {v.key: int(v.value) for v in told[-1].values if v.key != "page"}
        assert values["recorded"] > 0 and values["dropped"] > 0
        assert f"recorded {values['recorded']} messages, lost {values['dropped']}: File too" in str(
            told[-1].message
        )
        assert graph.end() == 0
    finally:
        graph.close()
    folder = tmp_path / "run"
    report = (folder / "report.html").read_text()
    with (folder / "run.mcap").open("rb") as stream:
        found = sum(1 for _ in NonSeekingReader(stream, validate_crcs=True).iter_messages())
    assert f"recorded {found} messages, lost" in report


def browser(playwright):
    assert CHROMIUM, "expected a Chromium on the PATH, found none: 'make test' installs it"
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *("--headless", "--no-sandbox", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
        ],
    )


def test_the_page_shows_the_graph_and_takes_an_instruction_and_a_stop(graph):
    from playwright import sync_api

    graph.until(lambda: graph.plan.get_subscription_count() > 0)
    graph.tell()
    port = graph.namespace.rpartition("_")[2]
    with sync_api.sync_playwright() as playwright:
        page = browser(playwright).new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_text("grasp(red_cube)").wait_for(timeout=60_000)
        page.get_by_text("Reward", exact=True).wait_for(timeout=10_000)
        # A browser that draws 3D on a busy CPU takes its time.
        graph.until(lambda: robot_is_drawn(page.screenshot()), 60.0)
        page.get_by_role("textbox").first.focus()
        page.keyboard.type("open the drawer")
        page.keyboard.press("Enter")
        graph.until(lambda: graph.instructions)
        press(page, "STOP")
        graph.until(lambda: graph.stops)
        assert graph.instructions == ["open the drawer"]


def press(page, name):
    """Click and give the browser, drawing 3D on a CPU, time to send it."""
    page.get_by_role("button", name=name).click()
    page.wait_for_timeout(1500)


def robot_is_drawn(png: bytes) -> bool:
    """Whether the 3D half of the page holds enough of the arm's near-white."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[150:, :1000]
    return bool(np.mean(np.all(picture > 190, axis=2)) > 0.01)


def test_a_person_answers_a_question_in_the_page(graph):
    from playwright import sync_api

    client = ActionClient(graph.node, AskHuman, "ask_human")
    graph.until(client.server_is_ready)
    sent = client.send_goal_async(AskHuman.Goal(question="Which cube do you mean?"))
    graph.until(sent.done)
    port = graph.namespace.rpartition("_")[2]
    with sync_api.sync_playwright() as playwright:
        page = browser(playwright).new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_text("Which cube do you mean?").wait_for(timeout=60_000)
        page.get_by_role("textbox").nth(1).fill("the red one")
        page.wait_for_timeout(500)
        press(page, "Send answer")
        result = sent.result().get_result_async()
        graph.until(result.done)
    assert result.result().result.answer == "the red one"


def test_an_unanswered_question_times_out(graph):
    client = ActionClient(graph.node, AskHuman, "ask_human")
    graph.until(client.server_is_ready)
    sent = client.send_goal_async(AskHuman.Goal(question="?", timeout_s=0.5))
    graph.until(sent.done)
    result = sent.result().get_result_async()
    graph.until(result.done)
    assert not result.result().result.answered
