"""Objectives: differentiable functions of the parameters on the validation split, lower is better."""
