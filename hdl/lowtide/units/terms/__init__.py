"""Terms: integers as signed digits, and which of the digits are kept."""
