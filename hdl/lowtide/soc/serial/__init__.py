"""The serial bridge: an engine at the end of a UART, by frames that are checked, numbered and answered."""
