"""Study: term revealing on real networks."""
