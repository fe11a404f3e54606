"""Array for term revealing."""
