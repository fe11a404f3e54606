"""Serial interface: an engine behind a UART, by frames with a CRC and a sequence number."""
