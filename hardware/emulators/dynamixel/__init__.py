"""A Dynamixel bus that is not there: nine motors of a WidowX-250S behind a pseudo-terminal."""
