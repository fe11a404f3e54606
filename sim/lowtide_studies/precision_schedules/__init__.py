"""Study: precision schedules of training, compared with fixed formats."""
