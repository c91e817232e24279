"""Products with Gauss-Newton matrix, Hessian and Kronecker factors, and solvers."""
