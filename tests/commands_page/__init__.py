"""docs/commands.md, made by running every command as a new user would."""
