"""Who decides: the wire protocol, its server and client, and the policies."""
