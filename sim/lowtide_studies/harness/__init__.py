"""What every study uses: jobs, cache, progress, tables, plots."""
