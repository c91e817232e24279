"""Everything that knows a configuration file, Snakemake, MLflow, or where a result lies on disk."""
