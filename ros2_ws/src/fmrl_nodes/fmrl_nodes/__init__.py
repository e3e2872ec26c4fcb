"""The ROS 2 nodes of fmrl_robot: thin wrappers over a library without ROS."""

from fmrl_robot.runtime.ros_rules import check_middleware

# Importing rclpy with a middleware that is not installed ends the process at once.
check_middleware()
