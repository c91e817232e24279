"""What a caller of `heft.score` hands over, turned into objects of the library."""
