"""What the input of an example may be, one file a kind."""
