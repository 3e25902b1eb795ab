"""Networks, losses, data and handlers that the bundles name; importing this package imports no framework."""
