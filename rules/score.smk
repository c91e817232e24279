"""Scores of every training example: once per member, then the mean over the first K members."""


rule score_members:
    input:
        inputs=seen("inputs.safetensors"),
        manifest=seen("manifest.json"),
        train="results/{e}/seed{s}/split/train.parquet",
        validation="results/{e}/seed{s}/split/validation.parquet",
        checkpoints="results/{e}/seed{s}/checkpoints/checkpoints.json",
        states="results/{e}/seed{s}/checkpoints/states.safetensors",
        auxiliary=auxiliary_files,
        probabilities=given_probabilities,
        dynamics=dynamics,
    output:
        scores="results/{e}/seed{s}/scores/{m}/members.parquet",
        cost="results/{e}/seed{s}/scores/{m}/cost.json",
        record="results/{e}/seed{s}/scores/{m}/record.jsonl",
    log:
        "logs/{e}/seed{s}/score_members/{m}.log",
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
        gpu=gpus,
    params:
        device=device,
        scorer=lambda wildcards: plan.scorer(wildcards.e, wildcards.m),
        weight_decay=lambda wildcards: plan.training(wildcards.e)["weight_decay"],
        optimiser=lambda wildcards: plan.optimiser(wildcards.e),
        objective=lambda wildcards: plan.objective(
            wildcards.e, plan.scorer(wildcards.e, wildcards.m)["method"]
        ),
        code=code(
            "score_members",
            lambda wildcards: scorer_files(plan, wildcards.e, wildcards.m),
            model=True,
        ),
    script:
        "../workflow_scripts/score_members.py"


rule score:
    input:
        scores=lambda wildcards: f"results/{wildcards.e}/seed{wildcards.s}/scores/{scorer_of(wildcards)}/members.parquet",
        cost=lambda wildcards: f"results/{wildcards.e}/seed{wildcards.s}/scores/{scorer_of(wildcards)}/cost.json",
    output:
        scores="results/{e}/seed{s}/scores/{v}.parquet",
        cost="results/{e}/seed{s}/scores/{v}.cost.json",
        record="results/{e}/seed{s}/scores/{v}.record.jsonl",
    log:
        "logs/{e}/seed{s}/score/{v}.log",
    group:
        "variant"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        variant=lambda wildcards: plan.variant(wildcards.e, wildcards.v),
        scorer=scorer_of,
        code=code("score"),
    script:
        "../workflow_scripts/score.py"
