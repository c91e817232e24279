"""The comparison report of an experiment, and the delivery of records by hand."""


def of_each_seed(file):
    """An input function: a file of every seed."""
    return lambda wildcards: expand(
        f"results/{wildcards.e}/seed{{s}}/{file}", s=plan.experiments[wildcards.e].settings.seeds
    )


def of_each_variant(wildcards):
    seeds, variants = plan.experiments[wildcards.e].settings.seeds, plan.variants(wildcards.e)
    return expand(f"results/{wildcards.e}/seed{{s}}/metrics/{{v}}.json", s=seeds, v=variants)


def scores_of_first_seed(wildcards):
    seed = plan.experiments[wildcards.e].settings.seeds[0]
    return expand(f"results/{wildcards.e}/seed{seed}/scores/{{v}}.parquet", v=plan.experiments[wildcards.e].variants)


rule report:
    input:
        metrics=of_each_variant,
        history=of_each_seed("train/history.parquet"),
        facts=of_each_seed("split/facts.json"),
        train=of_each_seed("split/train.parquet"),
        scores=scores_of_first_seed,
        inputs="results/{e}/data/inputs.safetensors",
        manifest="results/{e}/data/manifest.json",
    output:
        page="reports/{e}/index.html",
        comparison="reports/{e}/comparison.csv",
        metrics="reports/{e}/metrics.csv",
        figures=directory("reports/{e}/figures"),
        record="results/{e}/report.record.jsonl",
    log:
        "logs/{e}/report.log",
    params:
        configuration=lambda wildcards: plan.settings(wildcards.e),
        code=lambda wildcards: plan.report_code(wildcards.e),
    script:
        "../workflow_scripts/report.py"


rule deliver:
    shell:
        "{sys.executable} {workflow.basedir}/workflow_scripts/deliver.py --once"
