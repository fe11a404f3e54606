"""Studies: questions about precision, answered with the hardware's bits. No other package imports this one."""
