"""What `python -m heft suspects` takes; without torch."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--labels", required=True, metavar="FILE", help="a .csv, .npy, .npz or .safetensors file; FILE:KEY"
    )
    parser.add_argument("--predictions", metavar="FILE", help="out-of-fold probabilities [n, classes]")
    parser.add_argument("--embeddings", metavar="FILE", help="features of each example [n, ...]")
    parser.add_argument("--ids", metavar="FILE", help="the id of each label; else a column `id`, or the row's number")
    parser.add_argument(
        "--groups",
        metavar="FILE",
        help="the group of each label, such as a patient; else a column `group` of the labels",
    )
    parser.add_argument("--classes", metavar="A,B,...", help="what the columns of predictions stand for")
    parser.add_argument("--method", help="margin, confidence, loss, confident_learning; neighbour_vote, linear_probe")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the method; repeatable")
    parser.add_argument("--seed", type=int, default=0, help="of what the method draws")
    parser.add_argument("--count", type=int, default=20, help="how many are printed")
    parser.add_argument("--output", metavar="FILE.csv", help="all examples, the most suspect first")
