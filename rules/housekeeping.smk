"""Tells, or removes, what the configuration no longer asks for: files, and runs of the tracking store."""


rule tidy:
    log:
        "logs/tidy.log",
    localrule: True
    params:
        names=lambda wildcards: planned_names(whole_plan()),
        shapes=lambda wildcards: shapes(),
        label=configuration_label(),
        confirm=confirm,
        take_away=False,
    script:
        "../workflow_scripts/tidy.py"


rule tidy_now:
    log:
        "logs/tidy_now.log",
    localrule: True
    params:
        names=lambda wildcards: planned_names(whole_plan()),
        shapes=lambda wildcards: shapes(),
        label=configuration_label(),
        confirm=confirm,
        take_away=True,
    script:
        "../workflow_scripts/tidy.py"
