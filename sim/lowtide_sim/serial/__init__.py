"""The serial engine, simulated: a device without a board."""
