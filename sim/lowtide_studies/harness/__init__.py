"""What all studies share: jobs, storage, progress, tables, plots, options, statistics."""
