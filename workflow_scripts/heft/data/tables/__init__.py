"""Reads a person's table: its files, what each of its columns is, and which of them say something of the example."""
