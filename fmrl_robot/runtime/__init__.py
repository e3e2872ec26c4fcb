"""What carries a task through: the executive and the running of the graph."""
