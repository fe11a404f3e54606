"""Stream units: skid buffer, FIFO, width converters, delays."""
