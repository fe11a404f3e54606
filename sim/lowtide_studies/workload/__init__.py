"""Workload: a trained network and large products on a simulated array."""
