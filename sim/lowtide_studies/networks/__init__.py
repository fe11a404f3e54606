"""Networks on handwritten digits, and their arithmetic."""
