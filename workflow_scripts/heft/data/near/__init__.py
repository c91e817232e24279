"""What makes two examples near-duplicates, one file a kind of input, and what follows from pairs of them."""
