"""Study: training of real networks in several number formats."""
