"""Boards: what they are, how a bitstream for one is made, and how it gets there."""
