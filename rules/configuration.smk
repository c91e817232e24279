"""Reads the configuration files, strictly, before Snakemake does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from heft.errors import HeftError
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
