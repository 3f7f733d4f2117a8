"""What an operator sees: traces, metrics, and whether the process is well."""
