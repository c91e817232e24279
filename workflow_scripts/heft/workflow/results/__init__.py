"""Files of a run, read back as objects of the library."""
