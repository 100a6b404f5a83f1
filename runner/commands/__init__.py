"""What people ask the service about, and tell it: never a payload."""
