"""Term units: encoders, serializers, selectors, and queues of terms."""
