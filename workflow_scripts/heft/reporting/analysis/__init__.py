"""What the numbers say: the comparison, its differences, the choice and the outcome."""
