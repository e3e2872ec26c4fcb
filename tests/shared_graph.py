"""One running graph a robot for all tests that can share it: to start one takes half a minute."""

import pytest

ROBOTS = ("go2", "panda")
NAMESPACE = "robot1"
_running = {}
"""By robot; at most one."""


@pytest.fixture(params=ROBOTS)
def running(request, tmp_path_factory):
    """The whole graph of a robot, armed, in a namespace."""
    from full_graph import FullGraph

    robot = request.param
    if robot not in _running:
        _running[robot] = FullGraph(robot, tmp_path_factory.mktemp(robot), NAMESPACE)
    graph = _running[robot]
    graph.mend()
    return graph.ready()


@pytest.fixture
def anew(running):
    """The same with the world as it was at first, for tests that stop and kill: they run last."""
    from fmrl_msgs.srv import ResetSim

    answer = running.call(ResetSim, "sim/reset", ResetSim.Request(seed=0))
    assert answer.success, answer.message
    running.spin(0.5)
    return running.ready()


def _robot(item):
    return item.callspec.params.get("running", "") if hasattr(item, "callspec") else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Those of a robot in a row, so that its graph starts once and never runs unused."""
    items.sort(key=lambda i: (_robot(i), "anew" in i.fixturenames, "faults" in i.path.parts))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """End a graph that the next test does not use."""
    if _robot(item) in _running and (nextitem is None or _robot(nextitem) != _robot(item)):
        _running.pop(_robot(item)).close()
