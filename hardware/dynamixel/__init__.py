"""What a Dynamixel is: registers and units, for the driver and for the emulator."""
