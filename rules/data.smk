"""The data set, features that an encoder makes of it, and its splits with planted label noise."""


rule prepare:
    output:
        inputs="results/{e}/data/inputs.safetensors",
        # Those of the run before stay until the job ends, which says what changed.
        examples=update("results/{e}/data/examples.parquet"),
        manifest=update("results/{e}/data/manifest.json"),
        record="results/{e}/data/record.jsonl",
    log:
        "logs/{e}/prepare.log",
    group:
        "data"
    threads: lambda wildcards: plan.source_threads(wildcards.e)
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        source=lambda wildcards: plan.source(wildcards.e),
        files=lambda wildcards: seen_files(wildcards.e),
        near_duplicates=lambda wildcards: plan.data(wildcards.e)["near_duplicates"],
        code=code("prepare", lambda wildcards: source_files(plan, wildcards.e)),
    script:
        "../workflow_scripts/prepare.py"


rule encode:
    input:
        inputs="results/{e}/data/inputs.safetensors",
        manifest="results/{e}/data/manifest.json",
    output:
        inputs="results/{e}/features/inputs.safetensors",
        manifest="results/{e}/features/manifest.json",
        record="results/{e}/features/record.jsonl",
    log:
        "logs/{e}/encode.log",
    # Each thread has a batch of its own, so that their number changes no bit.
    threads: 8
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        encoder=lambda wildcards: encoding.encoder_of(plan, wildcards.e),
        version=lambda wildcards: encoding.encoder_version(plan, wildcards.e),
        files=lambda wildcards: state_of_weights(plan, wildcards.e),
        code=code("encode", lambda wildcards: encoding.encoder_files(plan, wildcards.e)),
    script:
        "../workflow_scripts/encode.py"


rule split:
    input:
        inputs="results/{e}/data/inputs.safetensors",
        examples="results/{e}/data/examples.parquet",
        manifest="results/{e}/data/manifest.json",
    output:
        train="results/{e}/seed{s}/split/train.parquet",
        validation="results/{e}/seed{s}/split/validation.parquet",
        test="results/{e}/seed{s}/split/test.parquet",
        transform="results/{e}/seed{s}/split/transform.json",
        facts="results/{e}/seed{s}/split/facts.json",
        record="results/{e}/seed{s}/split/record.jsonl",
    log:
        "logs/{e}/seed{s}/split.log",
    group:
        "data"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        data=lambda wildcards: plan.data(wildcards.e),
        code=code("split"),
    script:
        "../workflow_scripts/split.py"
