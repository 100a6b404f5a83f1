"""The administrator's console: pages in which people see what the service does, and settle what waits for them."""
