"""Many worlds stepped together: physics engines, robots on them, and the loop of every task."""
