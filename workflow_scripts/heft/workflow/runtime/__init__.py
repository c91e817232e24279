"""What accompanies a run and each of its jobs."""
