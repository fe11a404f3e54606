"""Driver for a device at a serial port."""
