"""Who may import whom, as docs/architecture.md says it; read from the parsed files without importing them."""

from pathlib import Path

import pytest
from house import (
    LIBRARY,
    ROOT,
    circle,
    imports_of,
    imports_side_by_side,
    modules,
    room_of,
)

# Single files that every room may import; they import one another alone.
FOUNDATION = {
    *("errors", "faults", "artifacts", "atomic_files", "checksum"),
    *("registry", "declaration", "signatures", "annotations", "options", "phrases", "rooms"),
    *("own_module", "persons_code", "devices", "seeds", "state_files", "variants", "pseudonyms"),
}


# What a caller meets first. These may import the whole library; of the library, nothing imports them.
FACE = {"api", "__main__"}


# The one file outside both wings: it imports the workflow where a command asks for it.
COMMAND_LINE = "__main__"


# The same as FOUNDATION for the rooms of the workflow.
WORKFLOW_FOUNDATION = {"workflow/places", "workflow/identity", "workflow/processes"}


# Room of the library -> further rooms that it may import.
LIBRARY_ROOMS: dict[str, set[str]] = {
    "kernels": set(),
    "models": {"kernels"},
    "data": set(),
    "objectives": {"kernels"},
    "methods": {"kernels", "objectives"},
    "training": {"data", "models", "kernels"},
    "auxiliary": {"data", "models", "training", "kernels"},
    "baselines": {"data", "models", "training"},
    "curation": {"data", "models", "training"},
    "ensembles": {"kernels", "methods", "training", "auxiliary"},
    "scoring": {"kernels", "objectives", "methods", "ensembles"},
    "command_line": {"arguments", "data"},
    "arguments": {"kernels", "objectives", "methods", "models", "training", "auxiliary", "ensembles", "scoring"},
    "evaluation": {"data", "training", "curation", "kernels", "objectives"},
    "reporting": {"evaluation"},
    "checking": {"kernels", "objectives", "methods", "models", "data", "training", "ensembles", "auxiliary"},
}


# Room of the workflow -> further rooms of the workflow that it may import; each may import the whole library.
WORKFLOW_ROOMS: dict[str, set[str]] = {
    "workflow/configuration": set(),
    "workflow/planning": {"workflow/configuration"},
    "workflow/tracking": set(),
    "workflow/results": {"workflow/tracking", "workflow/planning"},
    "workflow/runtime": {"workflow/planning", "workflow/tracking"},
    "workflow/housekeeping": {"workflow/planning", "workflow/tracking"},
    "workflow/new_experiment": {"workflow/configuration", "workflow/planning"},
}


def allowed(room: str) -> set[str]:
    """The rooms that a room may import, beside itself."""
    if room in FOUNDATION:
        return FOUNDATION
    if room in FACE:
        of_workflow = set(WORKFLOW_ROOMS) if room == COMMAND_LINE else set()
        return {"__init__"} | FACE | FOUNDATION | set(LIBRARY_ROOMS) | of_workflow
    if room in LIBRARY_ROOMS:
        return LIBRARY_ROOMS[room] | FOUNDATION
    if room in WORKFLOW_FOUNDATION:
        return WORKFLOW_FOUNDATION | FOUNDATION
    return WORKFLOW_ROOMS[room] | WORKFLOW_FOUNDATION | FOUNDATION | set(LIBRARY_ROOMS)


def test_every_room_is_declared_and_every_declared_room_is_there() -> None:
    assert {room_of(file) for file in modules()} == {
        *(FOUNDATION | FACE | WORKFLOW_FOUNDATION),
        *LIBRARY_ROOMS,
        *WORKFLOW_ROOMS,
    }
    for room, others in {**LIBRARY_ROOMS, **WORKFLOW_ROOMS}.items():
        assert (LIBRARY / room).is_dir(), room
        assert others <= {*LIBRARY_ROOMS, *WORKFLOW_ROOMS}, room


@pytest.mark.parametrize("file", modules(), ids=lambda file: file.relative_to(LIBRARY).as_posix())
def test_each_room_imports_only_what_it_may(file: Path) -> None:
    room = room_of(file)
    assert {room_of(imported) for imported in imports_of(file)} - {room} <= allowed(room)


def test_the_library_never_imports_the_workflow() -> None:
    library = [file for file in modules() if not room_of(file).startswith(("workflow/", COMMAND_LINE))]
    assert library
    of_workflow = {
        file.name: {imported for imported in imports_of(file) if room_of(imported).startswith("workflow/")}
        for file in library
    }
    assert {name: files for name, files in of_workflow.items() if files} == {}
    assert [file.name for file in library if "heft.workflow" in file.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    "folder",
    sorted({file.parent for file in LIBRARY.rglob("*.py")}),
    ids=lambda folder: folder.relative_to(LIBRARY.parent).as_posix(),
)
def test_files_and_folders_that_lie_side_by_side_do_not_import_in_a_circle(folder: Path) -> None:
    assert circle(imports_side_by_side(folder)) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_no_method_imports_another_method() -> None:
    folder = LIBRARY / "methods"
    files = list(folder.glob("*.py"))
    assert len(files) > 20
    for file in files:
        siblings = {imported.name for imported in imports_of(file) if imported.parent == folder}
        assert siblings <= {"declare.py", "context.py"}, f"{file.name} imports {siblings}"


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = [f"`{room}/`" for room in {*LIBRARY_ROOMS, *WORKFLOW_ROOMS}]
    files = [f"`{room}.py`" for room in FOUNDATION | FACE | WORKFLOW_FOUNDATION]
    assert [name for name in sorted([*folders, *files]) if name not in page] == []
