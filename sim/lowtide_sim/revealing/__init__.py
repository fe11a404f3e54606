"""What term revealing buys on networks: accuracy against pairs of terms, and area times time."""
