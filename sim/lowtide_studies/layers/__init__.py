"""Study: cycles and bytes of the layers of real networks."""
