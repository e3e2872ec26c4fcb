"""Training tasks: batched environments whose rewards and events are plain functions of arrays."""
