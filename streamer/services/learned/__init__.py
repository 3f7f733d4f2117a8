"""The learned files that the configuration names, as the services use them."""
