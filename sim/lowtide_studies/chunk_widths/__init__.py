"""Study: which chunk widths suit which precision."""
