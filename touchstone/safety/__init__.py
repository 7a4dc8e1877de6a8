"""What stands between a policy's answer and a motor: pure functions used by every world."""
