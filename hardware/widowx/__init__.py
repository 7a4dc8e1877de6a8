"""The WidowX-250S on its Dynamixel bus."""
