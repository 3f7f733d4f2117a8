"""What a process is: its streams, clients, probes and orderly end."""
