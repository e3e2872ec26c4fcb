"""What robots can do and what can be true: skills, predicates and their words."""
