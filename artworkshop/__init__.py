"""The site: settings, addresses, servers, and the product under one command."""
