"""What people see: the live page, the recording, the report. Watches only; never commands."""
