"""What people see: reports as lines and values, and the terminal that prints them."""
