"""The array for terms: integers in, revealed on the way, by settings that may change from tile to tile."""
