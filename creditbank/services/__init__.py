"""The use cases, one module per journey, and the ports through which they reach the outside."""
