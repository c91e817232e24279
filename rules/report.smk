"""The comparison report of an experiment, the index of all reports, and the delivery of records by hand."""


report: "captions/workflow.rst"


rule report:
    input:
        metrics=of_each_variant,
        history=of_each_seed("train/history.parquet"),
        facts=of_each_seed("split/facts.json"),
        train=of_each_seed("split/train.parquet"),
        scores=scores_of_each_seed,
        inputs="results/{e}/data/inputs.safetensors",
        manifest="results/{e}/data/manifest.json",
        encoded=lambda wildcards: encoding.encoded_manifest(plan, wildcards.e),
    output:
        page=report(
            "reports/{e}/index.html",
            caption="captions/page.rst",
            category="{e}",
            labels={"what": "the report"},
        ),
        shared="results/{e}/shared/index.html",
        comparison="reports/{e}/comparison.csv",
        metrics="reports/{e}/metrics.csv",
        figures=report(
            directory("reports/{e}/figures"),
            patterns=["{name}.svg"],
            caption="captions/figure.rst",
            category="{e}",
            labels={"what": "{name}"},
        ),
        record="results/{e}/report.record.jsonl",
    log:
        "logs/{e}/report.log",
    # A page that another configuration made is a file for the index, not a job.
    wildcard_constraints:
        e=planned_experiments(),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        configuration=lambda wildcards: plan.settings(wildcards.e),
        actions=lambda wildcards: plan.compared_actions(wildcards.e),
        code=lambda wildcards: report_code(plan, wildcards.e),
    script:
        "../workflow_scripts/report.py"


rule index:
    input:
        pages=plan.pages,
    output:
        index="reports/index.html",
    log:
        "logs/index.log",
    localrule: True
    params:
        code=index_code(plan),
    script:
        "../workflow_scripts/index.py"


rule deliver:
    log:
        "logs/deliver.log",
    localrule: True
    params:
        python=sys.executable,
        script=f"{workflow.basedir}/workflow_scripts/deliver.py",
    shell:
        "{params.python:q} {params.script:q} --once 2>&1 | tee {log}"
