"""What is written of decided tickets: labels, requests, reviews and logs."""
