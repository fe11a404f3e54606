"""Commands for devices and boards."""
