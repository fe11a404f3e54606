"""Training with every product on a matrix engine, in a precision that changes over steps."""
