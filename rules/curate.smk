"""Acts on the training split by each variant's scores, retrains, and evaluates. Only `evaluate` opens the test split."""


rule out_of_fold:
    input:
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        examples="results/{e}/data/examples.parquet",
        auxiliary=held_out_models,
    output:
        probabilities="results/{e}/seed{s}/out_of_fold/{kind}/models{n}/probabilities.parquet",
        cost="results/{e}/seed{s}/out_of_fold/{kind}/models{n}/cost.json",
        record="results/{e}/seed{s}/out_of_fold/{kind}/models{n}/record.jsonl",
    log:
        "logs/{e}/seed{s}/out_of_fold/{kind}-models{n}.log",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
        gpu=gpus,
    params:
        device=device,
        predictions=predictions,
        code=code(
            "out_of_fold", lambda wildcards: kind_files(kind_of(wildcards)), model=True
        ),
    script:
        "../workflow_scripts/out_of_fold.py"


rule prune:
    input:
        train="results/{e}/seed{s}/split/train.parquet",
        classes="results/{e}/data/manifest.json",
        scores=scores_of(".parquet"),
        probabilities=held_out_files(paths.OUT_OF_FOLD),
    output:
        plan="results/{e}/seed{s}/pruned/{v}.parquet",
        record="results/{e}/seed{s}/pruned/{v}.record.jsonl",
    log:
        "logs/{e}/seed{s}/prune/{v}.log",
    group:
        "variant"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        actions=lambda wildcards: plan.actions(wildcards.e, wildcards.v),
        fractions=lambda wildcards: plan.fractions(wildcards.e, wildcards.v),
        probabilities=held_out(paths.OUT_OF_FOLD),
        sees_true_labels=lambda wildcards: plan.sees_true_labels(
            wildcards.e, wildcards.v
        ),
        variant=lambda wildcards: plan.variant(wildcards.e, wildcards.v),
        code=code(
            "prune", lambda wildcards: action_files(plan, wildcards.e, wildcards.v)
        ),
    script:
        "../workflow_scripts/prune.py"


rule retrain:
    input:
        check="results/{e}/model_check.json",
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        plan="results/{e}/seed{s}/pruned/{v}.parquet",
    output:
        states=unless_kept("results/{e}/seed{s}/retrained/{v}.safetensors"),
        cost="results/{e}/seed{s}/retrained/{v}.cost.json",
        record="results/{e}/seed{s}/retrained/{v}.record.jsonl",
    log:
        "logs/{e}/seed{s}/retrain/{v}.log",
    wildcard_constraints:
        v=rf"(?!(?:{any_of(plan.baselines)})\.){VARIANT}",
    group:
        "variant"
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=120,
        gpu=gpus,
    params:
        device=device,
        model=lambda wildcards: plan.model(wildcards.e),
        training=lambda wildcards: plan.training(wildcards.e),
        resample=lambda wildcards: plan.resample(wildcards.e),
        variant=lambda wildcards: plan.variant(wildcards.e, wildcards.v),
        code=code("retrain", model=True, training=True),
    script:
        "../workflow_scripts/retrain.py"


rule baseline:
    input:
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        validation="results/{e}/seed{s}/split/validation.parquet",
        checkpoints="results/{e}/seed{s}/checkpoints/checkpoints.json",
        states="results/{e}/seed{s}/checkpoints/states.safetensors",
    output:
        states=unless_kept("results/{e}/seed{s}/retrained/{v}.safetensors"),
        cost="results/{e}/seed{s}/retrained/{v}.cost.json",
        record="results/{e}/seed{s}/retrained/{v}.record.jsonl",
    log:
        "logs/{e}/seed{s}/baseline/{v}.log",
    wildcard_constraints:
        v=any_of(plan.baselines),
    group:
        "variant"
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=gpus,
    params:
        device=device,
        training=lambda wildcards: plan.training(wildcards.e),
        fine_tuning=lambda wildcards: plan.fine_tuning(wildcards.e),
        resample=lambda wildcards: plan.resample(wildcards.e),
        variant=lambda wildcards: plan.variant(wildcards.e, wildcards.v),
        code=code(
            "baseline",
            lambda wildcards: baseline_files(plan, wildcards.e, wildcards.v),
            model=True,
            training=True,
        ),
    script:
        "../workflow_scripts/baseline.py"


rule evaluate:
    input:
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        validation="results/{e}/seed{s}/split/validation.parquet",
        test="results/{e}/seed{s}/split/test.parquet",
        plan="results/{e}/seed{s}/pruned/{v}.parquet",
        states="results/{e}/seed{s}/retrained/{v}.safetensors",
        retrain_cost="results/{e}/seed{s}/retrained/{v}.cost.json",
        scores=scores_of(".parquet"),
        score_cost=scores_of(".cost.json"),
        further_costs=held_out_files(paths.OUT_OF_FOLD_COST),
    output:
        metrics="results/{e}/seed{s}/metrics/{v}.json",
        record="results/{e}/seed{s}/metrics/{v}.record.jsonl",
    log:
        "logs/{e}/seed{s}/evaluate/{v}.log",
    priority: 1  # so that the retrained models, which are temporary, are few at a time
    group:
        "variant"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
        gpu=gpus,
    params:
        device=device,
        model=lambda wildcards: plan.model(wildcards.e),
        actions=lambda wildcards: plan.actions(wildcards.e, wildcards.v),
        variant=lambda wildcards: plan.variant(wildcards.e, wildcards.v),
        baseline=lambda wildcards: wildcards.v in plan.baselines,
        further_costs=held_out(paths.OUT_OF_FOLD_COST),
        measure=lambda wildcards: plan.measure(wildcards.e),
        code=code(
            "evaluate",
            lambda wildcards: evaluation_files(plan, wildcards.e),
            model=True,
        ),
    script:
        "../workflow_scripts/evaluate.py"
