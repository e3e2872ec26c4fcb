"""What every node of the graph shares: lifecycle, parameters, diagnostics and a clean end.

A node fills in ``configure`` (publishers, subscriptions, timers, models), ``activate``,
``deactivate`` and ``cleanup``; what ``configure`` created is destroyed for it. With ``autostart``
(the default) the process goes to *active* by itself, so no lifecycle manager is needed; without it
``ros2 lifecycle set`` drives the same transitions.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from fmrl_nodes.ending import Ending, leave
from fmrl_nodes.listening import Listening
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError

STEADY = Clock(clock_type=ClockType.STEADY_TIME)
"""For what has to go on while simulated time stands still."""

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """How a node is, in a form that ``/diagnostics`` carries."""

    level: bytes = OK
    message: str = "ok"
    values: Mapping[str, object] = field(default_factory=dict)


class FmrlNode(Listening, LifecycleNode):
    """Base of every node."""

    def __init__(self, name: str, **node_arguments: Any) -> None:
        super().__init__(name, **node_arguments)
        self.active = False
        self.failure: FmrlError | None = None
        self._permanent: set[int] = set()
        self._reported = 0
        self.autostart: bool = self.declare("autostart", True, "become active without being told")

    # --- for subclasses ---------------------------------------------------------------------------

    def configure(self) -> None:
        """Create publishers, subscriptions and timers; load models. May raise FmrlError."""

    def activate(self) -> None:
        """Begin to act."""

    def deactivate(self) -> None:
        """Stop acting; keep what was configured."""

    def cleanup(self) -> None:
        """Let go of what is not a ROS entity; those are destroyed by the base."""

    def close(self) -> None:
        """Finish files and threads at the very end, whatever the state of the node."""

    def diagnose(self) -> Diagnosis:
        """Say how the node is; asked once a second while it is configured."""
        return Diagnosis()

    def declare(
        self,
        name: str,
        default: Any,
        description: str,
        *,
        low: float | None = None,
        high: float | None = None,
        choices: Sequence[str] = (),
    ) -> Any:
        """Declare a read-only parameter and return its value, checked.

        Raises:
            ConfigError: the value is of the wrong type or out of its range.
        """
        descriptor = ParameterDescriptor(description=description, read_only=True)
        if low is not None and high is not None:
            if isinstance(default, int):
                descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
            else:
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=float(low), to_value=float(high))
                ]
        if choices:
            descriptor.additional_constraints = f"one of {', '.join(choices)}"
        given = self._parameter_overrides.get(name)
        if isinstance(default, float) and given and given.type_ == Parameter.Type.INTEGER:
            # A launch file that says rate:=10 means 10.0.
            self._parameter_overrides[name] = Parameter(name, value=float(given.value))
        try:
            value = self.declare_parameter(name, default, descriptor).value
        except (InvalidParameterValueException, InvalidParameterTypeException) as error:
            raise ConfigError(f"parameter {name} of {self.get_name()}: {error}") from error
        if choices and value not in choices:
            raise ConfigError(
                f"parameter {name} of {self.get_name()}: expected one of {', '.join(choices)}, "
                f"got {value!r}"
            )
        return value

    # --- lifecycle --------------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``configure`` and begin to publish diagnostics."""
        self._permanent = {id(entity) for entity in self._entities()}
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(1.0, self._publish_diagnosis, clock=STEADY)
        result = self._attempt(self.configure)
        if result != TransitionCallbackReturn.SUCCESS:
            self._destroy_configured()
            return result
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``activate``."""
        self.active = True
        result = self._attempt(self.activate)
        self.active = result == TransitionCallbackReturn.SUCCESS
        return super().on_activate(state) if self.active else result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``deactivate``."""
        self.active = False
        self._attempt(self.deactivate)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``cleanup`` and destroy what ``configure`` created."""
        self._attempt(self.cleanup)
        result = super().on_cleanup(state)
        self._destroy_configured()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        if self.active:
            self.active = False
            self._attempt(self.deactivate)
        self._attempt(self.cleanup)
        self._destroy_configured()
        return super().on_shutdown(state)

    def _attempt(self, hook: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            hook()
        except FmrlError as error:
            self.failure = error
            self.get_logger().error(f"{hook.__name__} failed: code={int(error.code)} {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # rclpy would swallow it without a word
            self.failure = ConfigError(f"{hook.__name__} failed: {error!r}")
            self.get_logger().error(f"{hook.__name__} failed: {traceback.format_exc()}")
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def _entities(self) -> list[Any]:
        return [
            *self.timers,
            *self.subscriptions,
            *self.publishers,
            *self.clients,
            *self.services,
            *self.guards,
            *self.waitables,
        ]

    def _destroy_configured(self) -> None:
        destroyers = (
            (self.timers, self.destroy_timer),
            (self.subscriptions, self.destroy_subscription),
            (self.publishers, self.destroy_publisher),
            (self.clients, self.destroy_client),
            (self.services, self.destroy_service),
            (self.guards, self.destroy_guard_condition),
            (self.waitables, lambda waitable: waitable.destroy()),
        )
        for entities, destroy in destroyers:
            for entity in list(entities):
                if id(entity) not in self._permanent and hasattr(entity, "destroy"):
                    self._managed_entities.discard(entity)
                    destroy(entity)

    # --- diagnostics ------------------------------------------------------------------------------

    def _publish_diagnosis(self) -> None:
        diagnosis = self._with_refusals(self.diagnose())
        status = DiagnosticStatus(
            level=diagnosis.level,
            name=self.get_fully_qualified_name().lstrip("/"),
            message=diagnosis.message if self.active else f"inactive; {diagnosis.message}",
            hardware_id=self.get_namespace(),
            values=[KeyValue(key=k, value=str(v)) for k, v in diagnosis.values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _with_refusals(self, diagnosis: Diagnosis) -> Diagnosis:
        """Add what came in and could not be used; it is a warning while it goes on."""
        total = self.refused.total()
        fresh, self._reported = total - self._reported, total
        values = {
            **diagnosis.values,
            "refused_messages": total,
            **{f"refused {topic}": count for topic, count in self.refused.items()},
        }
        if not fresh:
            return replace(diagnosis, values=values)
        return Diagnosis(
            level=max(diagnosis.level, WARN),
            message=f"{fresh} messages refused; {diagnosis.message}",
            values=values,
        )


def run(
    factory: Callable[[], FmrlNode], args: Sequence[str] | None = None, *, niceness: int = 0
) -> NoReturn:
    """Be the process of one node, to its end.

    SIGINT and SIGTERM end it with 0 whenever they come; a node that cannot start ends it with 1
    after logging its numbered code, one that fails after its traceback. A start is cut short where
    it is, a callback is finished: half a message in a recording makes the rest unreadable.

    Args:
        factory: builds the node.
        args: command line; None: the process's own.
        niceness: of the process; a negative one asks for real-time scheduling as well. Both are
            set before ROS starts, because the middleware's threads inherit them: a hurried node
            whose listeners wait in line hears nothing.
    """
    _schedule(niceness)
    leave(_code(factory, args))


def _code(factory: Callable[[], FmrlNode], args: Sequence[str] | None) -> int:
    ending = Ending()
    try:
        with ending:
            return _live(factory, args, ending)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except Exception:
        # What a signal has cut short may fail for that alone, and its end is at hand anyway.
        if ending.asked:
            return 0
        traceback.print_exc()
        return 1


def _live(factory: Callable[[], FmrlNode], args: Sequence[str] | None, ending: Ending) -> int:
    executor: SingleThreadedExecutor | None = None
    node: FmrlNode | None = None
    try:
        _init(args)
        _check_profile()
        executor = SingleThreadedExecutor()
        node = factory()
        executor.add_node(node)
        if node.autostart:
            _start(node)
        ending.spin(executor)
    except FmrlError as error:
        rclpy.logging.get_logger("fmrl_nodes").fatal(f"code={int(error.code)} {error}")
        return 1
    finally:
        ending.begin()
        if executor is not None:
            executor.shutdown(timeout_sec=1.0)
        if node is not None:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown(uninstall_handlers=False)
    return 0


def _init(args: Sequence[str] | None) -> None:
    try:
        # Without rclpy's handlers, which end the context behind everybody's back.
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # RCLError, which rclpy keeps to itself
        raise ConfigError(
            f"expected arguments that ROS 2 can read, got {' '.join(str(error).split())}; correct "
            "the one it names"
        ) from error


def _check_profile() -> None:
    """Fast DDS only mentions a profile that is missing, and then talks to every machine."""
    profile = os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE", "")
    if profile and not os.path.isfile(profile):
        raise ConfigError(
            f"expected a profile of Fast DDS, got {profile}, which is no file; "
            "set ROS_AUTOMATIC_DISCOVERY_RANGE to LOCALHOST or SUBNET, or dds_profile to a file"
        )


def _schedule(niceness: int) -> None:
    """Take one's place in line, as far as the system lets us."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    if niceness < 0:
        # The lowest real-time priority is enough to go before everything that is not.
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def _start(node: FmrlNode) -> None:
    for transition in (node.trigger_configure, node.trigger_activate):
        if transition() != TransitionCallbackReturn.SUCCESS:
            raise node.failure or ConfigError(
                f"{node.get_name()} could not start", ErrorCode.CONFIG_INVALID
            )
