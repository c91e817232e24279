"""Which files a report is made of: of a job, by seed, and of a run that did not end."""

from types import SimpleNamespace
from typing import Any

from heft.reporting.inputs import MissingCell
from heft.workflow.results.report_files import sources_of, sources_there


def files(pattern: str, *seeds: int) -> list[str]:
    return [f"results/mine/seed{seed}/{pattern}" for seed in seeds]


def test_a_jobs_files_are_taken_by_the_seed_of_their_folder() -> None:
    listed = {
        "metrics": files("metrics/ip.json", 10, 2),
        "history": files("train/history.parquet", 10, 2),
        "facts": files("split/facts.json", 2, 10),
        "train": files("split/train.parquet", 10, 2),
        "scores": [*files("scores/ip.parquet", 10, 2), *files("scores/loss.parquet", 2)],
        "inputs": "inputs",
        "encoded": [],
        "manifest": "manifest",
    }
    job: Any = SimpleNamespace(
        wildcards=SimpleNamespace(e="mine"),
        params=SimpleNamespace(configuration={"seeds": [2, 10]}, actions=["remove"]),
        input=SimpleNamespace(**listed),
    )
    sources = sources_of(job)
    assert (sources.experiment, sources.inputs, sources.manifest, sources.missing) == ("mine", "inputs", "manifest", ())
    assert sources.metrics == listed["metrics"]
    for part, name in ((sources.history, "train/history.parquet"), (sources.facts, "split/facts.json")):
        assert part == {seed: files(name, seed)[0] for seed in (2, 10)}
    assert sources.train == {seed: files("split/train.parquet", seed)[0] for seed in (2, 10)}
    assert sources.scores == {2: files("scores/ip.parquet", 2) + files("scores/loss.parquet", 2),
                            10: files("scores/ip.parquet", 10)}  # fmt: skip


COLUMNS = {
    "none": {"method": "none", "ensemble": "", "members": 1, "options": {}},
    "ip": {"method": "ip", "ensemble": "", "members": 1, "options": {}},
    "ip__seeds__5": {"method": "ip", "ensemble": "seeds", "members": 5, "options": {"damping": 0.1}},
}


def test_of_an_unfinished_run_only_what_is_not_missing_is_read_and_a_seed_without_anything_is_left_out() -> None:
    missing = [[1, "ip__seeds__5", "memory ran out"], *([2, variant, "train failed"] for variant in COLUMNS)]
    sources = sources_there(
        {
            "experiment": "mine",
            "configuration": {"seeds": [0, 1, 2]},
            "actions": ["relabel"],
            "variants": COLUMNS,
            "scored": ["ip", "ip__seeds__5"],
            "missing": missing,
        }
    )
    of_seed_0 = [path for variant in COLUMNS for path in files(f"metrics/{variant}.json", 0)]
    assert sources.metrics == [*of_seed_0, *files("metrics/none.json", 1), *files("metrics/ip.json", 1)]
    assert sources.actions == ["relabel"]
    assert sources.scores == {
        0: [*files("scores/ip.parquet", 0), *files("scores/ip__seeds__5.parquet", 0)],
        1: files("scores/ip.parquet", 1),
    }
    assert sources.facts == {seed: files("split/facts.json", seed)[0] for seed in (0, 1)}
    assert sources.history == {seed: files("train/history.parquet", seed)[0] for seed in (0, 1)}
    assert sources.train == {seed: files("split/train.parquet", seed)[0] for seed in (0, 1)}
    assert (sources.inputs, sources.manifest) == (
        "results/mine/data/inputs.safetensors",
        "results/mine/data/manifest.json",
    )
    assert sources.missing[0] == MissingCell(1, "ip__seeds__5", "ip", "memory ran out", "seeds", 5, {"damping": 0.1})
    assert [(cell.seed, cell.variant, cell.reason) for cell in sources.missing] == [tuple(row) for row in missing]
