"""What training does to a picture each time that it is seen, one file each, by torchvision's transforms v2."""
