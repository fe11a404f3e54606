"""Processing elements and their arithmetic."""
