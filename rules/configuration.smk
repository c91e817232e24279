"""Reads the configuration files, strictly, before Snakemake does."""

import sys
from pathlib import Path

scripts = Path(workflow.basedir).resolve() / "workflow_scripts"
sys.path.insert(0, str(scripts))

from heft.errors import HeftError

# An installed Heft keeps the path of the folder that it was installed from: a copy of that folder is another project.
for name in ("heft", "snakemake_logger_plugin_heft"):
    place = Path(sys.modules[name].__file__).parent if name in sys.modules else scripts
    if scripts not in (place, place.resolve().parent):
        sys.exit(
            f"{name} in {place} is another project's, and would run here; install this one: `pip install --no-deps -e .` "
            f"in {scripts.parent}, or `make run`, which does so"
        )

from heft.workflow.configuration.files import Sources

own = Path("config.yaml")
CONFIG_FILE = own if own.exists() else Path(workflow.basedir) / own
given = [Path(file) for file in workflow.config_settings.configfiles]
replaced = given and workflow.config_settings.replace_workflow_config
try:
    sources = Sources(
        [*([] if replaced else [CONFIG_FILE]), *given],
        workflow.config_settings.config_args,
    )
except HeftError as error:
    sys.exit(str(error))
