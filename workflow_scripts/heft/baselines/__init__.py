"""Other trainings that a person would use instead of curating, one file each."""
