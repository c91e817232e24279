"""What encoder a file of the cache of features is of."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from heft.workflow.places import FEATURES


def encoder_of_file(path: str) -> str:
    """Name and options of the encoder, as `features_asked` writes them; empty where the file is none of the cache, or
    is damaged, which the next run that needs it sees to."""
    if Path(path).parent != FEATURES or Path(path).suffix != ".sqlite":
        return ""
    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as database:
            ((identity,),) = database.execute("SELECT identity FROM about").fetchall()
        facts = json.loads(identity)
        return json.dumps({"encoder": facts["encoder"], "options": facts["options"]}, sort_keys=True)
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError):
        return ""


def name_in(encoder: str) -> str:
    """The name of the encoder in what `encoder_of_file` gives."""
    return str(json.loads(encoder)["encoder"])
