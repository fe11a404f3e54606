"""lowtide's golden models, benches and workloads."""
