"""The WidowX-250S behind a running `interbotix_xs_sdk`."""
