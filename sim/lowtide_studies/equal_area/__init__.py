"""Study: training time on units of equal area."""
