"""`python -m heft new`: looks at a person's data, chooses settings that suit them, and writes a configuration file."""
