"""What is noted of a run, and how it gets into MLflow."""
