"""Systems: what lets a bus, a serial line or a host work an engine."""
