"""One file for each system of the survey, named after it: a card and a composition of engines."""
