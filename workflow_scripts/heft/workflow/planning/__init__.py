"""What follows from the configuration for each job, and which code the job runs."""
