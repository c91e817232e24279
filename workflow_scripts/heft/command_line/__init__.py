"""Commands of `python -m heft` that read and write a person's own files."""
