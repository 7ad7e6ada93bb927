"""What a scan is: volumes on a grid in space, and boxes in them."""
