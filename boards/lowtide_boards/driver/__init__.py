"""Driver of a device on a serial port."""
