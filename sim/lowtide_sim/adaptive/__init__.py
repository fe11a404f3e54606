"""Training whose every product goes through a matrix engine, in a precision that changes as it goes."""
