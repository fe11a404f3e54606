"""What all studies share: jobs, storage, options, statistics, tables and plots."""
