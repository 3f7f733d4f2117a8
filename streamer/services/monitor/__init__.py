"""The monitor: it adds up what the services tell, and says what a person should look at."""
