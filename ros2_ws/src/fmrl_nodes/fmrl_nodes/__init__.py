"""The ROS 2 nodes of fmrl_robot: thin wrappers over a library without ROS."""
