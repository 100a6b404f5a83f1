"""What people ask for on the command line, a module for each command; what they print is never a payload."""
