"""Stimulus: tiles, words and packed fields."""
