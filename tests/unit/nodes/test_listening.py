"""What a node does with a message that it cannot use."""

import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.context import Context
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from fmrl_nodes import listening
from fmrl_nodes.errors import BadMessage
from fmrl_nodes.lifecycle import FmrlNode

DOMAIN = 67


class Hearing(FmrlNode):
    """Takes words that are spelled right."""

    def __init__(self, context):
        super().__init__("hearing", context=context)
        self.heard = []
        self.door = self.create_subscription(String, "words", self.hear, 10)

    def hear(self, message):
        if message.data == "crash":
            raise KeyError(message.data)
        if message.data.startswith("bad"):
            raise BadMessage(f"expected a word, got {message.data!r}")
        self.heard.append(message.data)


@pytest.fixture
def node():
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    node = Hearing(context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def say(node, *words):
    for word in words:
        node.door.callback(String(data=word))


def status(node):
    """What the node would publish of itself."""
    node.trigger_configure()
    published = []
    node._diagnostics.publish = published.append
    node._publish_diagnosis()
    return published[0].status[0]


def test_a_bad_message_is_dropped_and_counted(node):
    say(node, "one", "bad", "two", "bad again")
    assert node.heard == ["one", "two"]
    assert node.refused == {"words": 2}


def test_a_fault_of_the_program_is_not_taken_for_a_bad_message(node):
    with pytest.raises(KeyError, match="crash"):
        say(node, "crash")
    assert not node.refused


def test_diagnostics_tell_it_while_it_goes_on(node):
    say(node, "bad", "bad")
    first = status(node)
    assert first.level == DiagnosticStatus.WARN
    assert "2 messages refused" in first.message
    values = {v.key: v.value for v in first.values}
    assert values["refused_messages"] == values["refused words"] == "2"
    again = status(node)
    assert again.level == DiagnosticStatus.OK and "refused" not in again.message
    assert {v.key: v.value for v in again.values}["refused_messages"] == "2"


def test_warnings_are_rare_short_and_told_for_each_topic(node, monkeypatch):
    told = []
    logger = node.get_logger()
    monkeypatch.setattr(logger, "warning", told.append)
    monkeypatch.setattr(node, "get_logger", lambda: logger)
    say(node, *["bad" + "x" * 10_000] * 50)
    node.refuse("others", BadMessage("expected others"))
    assert len(told) == 2 and "topic=words" in told[0] and "topic=others" in told[1]
    assert max(map(len, told)) < 400
    monkeypatch.setattr(listening, "TELL_EVERY_S", 0.0)
    say(node, "bad")
    assert "so_far=51" in told[2]


def test_a_time_before_the_epoch_does_not_end_a_node_that_follows_it(node):
    rclpys_own = []
    clock = node.create_subscription(Clock, "/clock", rclpys_own.append, 10)
    for sec, nanosec in ((-1, 0), (1, 10**9), (1, 0)):
        message = Clock()
        message.clock.sec, message.clock.nanosec = sec, nanosec
        clock.callback(message)
    assert len(rclpys_own) == 1 and node.refused == {"/clock": 2}
