"""Pictures in files of any usual format, as pixels of one size: how they are listed, and how each is read."""
