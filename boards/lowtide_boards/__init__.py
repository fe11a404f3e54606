"""Engines on boards: a driver for hosts, tops, bitstreams and flashing."""
