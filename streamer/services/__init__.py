"""The processes: each wires streaming, workers or judge, and observation into one."""
