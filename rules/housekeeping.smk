"""Tells, or removes, what the configuration no longer asks for: files, and runs of the tracking store."""

HOUSEKEEPING = {"tidy", "tidy_now"}


rule tidy:
    params:
        names=lambda wildcards: planned_names(whole_plan()),
        shapes=lambda wildcards: shapes(),
        take_away=False,
    script:
        "../workflow_scripts/tidy.py"


rule tidy_now:
    params:
        names=lambda wildcards: planned_names(whole_plan()),
        shapes=lambda wildcards: shapes(),
        take_away=True,
    script:
        "../workflow_scripts/tidy.py"


def whole_plan():
    """The plan of all definitions, selected or not."""
    everything = {**config, "experiments": list(config["definitions"])}
    try:
        return load_plan(everything, [Path(file) for file in workflow.configfiles])
    except HeftError as error:
        sys.exit(str(error))


def shapes():
    """The paths of all outputs and logs of the rules, with wildcards in braces."""
    found = []
    for one in workflow.rules:
        for output in one.output:
            found.append(f"{output}/{{file}}" if output.is_directory else str(output))
        found += map(str, one.log)
    # Snakemake writes a wildcard's constraint into its braces.
    return [re.sub(r"{(\w+),[^}]*}", r"{\1}", shape) for shape in found]
