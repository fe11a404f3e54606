"""Serial engine: an engine behind a UART."""
