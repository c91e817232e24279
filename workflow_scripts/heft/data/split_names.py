"""What a split may be called in a folder's name, in a cell or in a data set."""

SPLIT_OF = {
    **{"train": "train", "training": "train", "test": "test", "testing": "test"},
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
}
