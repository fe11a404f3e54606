<<<<<<< HEAD
"""Units for terms: encoders, selectors, and the processing elements that multiply by terms."""
=======
"""Terms: integers as signed digits, and which of the digits are kept."""
>>>>>>> units
