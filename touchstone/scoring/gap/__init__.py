"""Gap studies: how far a simulated world is from a bench, from the sessions of both."""
