"""Engines that planners share: plan languages, contact patterns, the scene as a plan sees it."""
