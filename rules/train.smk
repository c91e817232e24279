"""The check of the model, the trained one, its checkpoints, and further models that ensembles and methods ask for."""


rule unreadable:
    output:
        never="results/{e}/readable.json",
    log:
        "logs/{e}/unreadable.log",
    localrule: True
    params:
        sentence=lambda wildcards: plan.spoiled[wildcards.e],
    script:
        "../workflow_scripts/unreadable.py"


rule check_model:
    input:
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
    output:
        check="results/{e}/model_check.json",
        record="results/{e}/model_check.record.jsonl",
    log:
        "logs/{e}/check_model.log",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
        gpu=gpus,
    params:
        device=device,
        model=lambda wildcards: plan.model(wildcards.e),
        # Trainings wait for this job: it runs again where the model is another one, not where a method is.
        augmentation=lambda wildcards: plan.training(wildcards.e)["augmentation"],
        code=code("heft/models/build", model=True, training=True),
    script:
        "../workflow_scripts/check_model.py"


rule train:
    input:
        check="results/{e}/model_check.json",
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        validation="results/{e}/seed{s}/split/validation.parquet",
    output:
        states=temp("results/{e}/seed{s}/train/states.safetensors"),
        facts="results/{e}/seed{s}/train/states.json",
        history="results/{e}/seed{s}/train/history.parquet",
        dynamics="results/{e}/seed{s}/train/training_dynamics.parquet",
        record="results/{e}/seed{s}/train/record.jsonl",
    log:
        "logs/{e}/seed{s}/train.log",
    group:
        "training"
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=gpus,
    params:
        device=device,
        model=lambda wildcards: plan.model(wildcards.e),
        training=lambda wildcards: plan.training(wildcards.e),
        resample=lambda wildcards: plan.resample(wildcards.e),
        code=code("train", model=True, training=True),
    script:
        "../workflow_scripts/train.py"


rule checkpoint:
    input:
        states="results/{e}/seed{s}/train/states.safetensors",
        facts="results/{e}/seed{s}/train/states.json",
        history="results/{e}/seed{s}/train/history.parquet",
    output:
        states="results/{e}/seed{s}/checkpoints/states.safetensors",
        facts="results/{e}/seed{s}/checkpoints/checkpoints.json",
        record="results/{e}/seed{s}/checkpoints/record.jsonl",
    log:
        "logs/{e}/seed{s}/checkpoint.log",
    priority: 1  # so that the states of all epochs, which are temporary, are few at a time
    group:
        "training"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        checkpoints=lambda wildcards: auxiliary.checkpoint_settings(
            plan.experiments[wildcards.e]
        ),
        kept=lambda wildcards: auxiliary.kept(plan.experiments[wildcards.e]),
        code=code("checkpoint"),
    script:
        "../workflow_scripts/checkpoint.py"


rule auxiliary:
    input:
        check="results/{e}/model_check.json",
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        validation="results/{e}/seed{s}/split/validation.parquet",
        continued=continued,
    output:
        states="results/{e}/seed{s}/auxiliary/{kind}/group{g}/states.safetensors",
        facts="results/{e}/seed{s}/auxiliary/{kind}/group{g}/checkpoints.json",
        history="results/{e}/seed{s}/auxiliary/{kind}/group{g}/history.parquet",
        dynamics="results/{e}/seed{s}/auxiliary/{kind}/group{g}/training_dynamics.parquet",
        record="results/{e}/seed{s}/auxiliary/{kind}/group{g}/record.jsonl",
    log:
        "logs/{e}/seed{s}/auxiliary/{kind}-group{g}.log",
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=120,
        gpu=gpus,
    params:
        device=device,
        numbers=lambda wildcards: kind_named(kind_of(wildcards)).numbers(
            int(wildcards.g)
        ),
        model=lambda wildcards: plan.model(wildcards.e),
        training=lambda wildcards: plan.training(wildcards.e),
        fine_tuning=lambda wildcards: auxiliary.fine_tuning_of(
            plan.experiments[wildcards.e], kind_of(wildcards)
        ),
        resample=lambda wildcards: plan.resample(wildcards.e),
        checkpoints=lambda wildcards: auxiliary.checkpoint_settings(
            plan.experiments[wildcards.e], kind_of(wildcards)
        ),
        kept=lambda wildcards: auxiliary.kept(
            plan.experiments[wildcards.e], kind_of(wildcards)
        ),
        code=code(
            "auxiliary",
            lambda wildcards: kind_files(kind_of(wildcards)),
            model=True,
            training=True,
        ),
    script:
        "../workflow_scripts/auxiliary.py"
