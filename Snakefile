from snakemake.utils import min_version

min_version("9.0")


include: "rules/configuration.smk"


configfile: str(CONFIG_FILE)


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/score.smk"
include: "rules/curate.smk"
include: "rules/report.smk"
include: "rules/housekeeping.smk"


rule all:
    default_target: True
    input:
        plan.reports,
        plan.results,
        "reports/index.html",
        [f"results/{name}/readable.json" for name in plan.spoiled],
