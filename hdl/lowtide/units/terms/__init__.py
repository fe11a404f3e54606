"""Units for terms: encoders, selectors, and the processing elements that multiply by terms."""
