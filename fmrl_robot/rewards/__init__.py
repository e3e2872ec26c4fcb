"""Reward models: what a camera frame says about a sub-goal. They watch; they never gate safety."""
