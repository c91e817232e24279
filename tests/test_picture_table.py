"""A CSV file that names pictures is a data set too: what its columns say, and each mistake."""

from pathlib import Path

import pytest
from picture_cases import gradient, image_folder, save_pets, write_table
from PIL import Image

from heft.errors import HeftError


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, below which data and results lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_of_paths_says_labels_and_what_else_is_known() -> None:
    save_pets()
    table = write_table(
        "path,label,true_label,split,group,trusted,camera\n"
        "pets/cat/000.png,cat,cat,train,ann,,x\n"
        "pets\\cat\\001.png, dog,cat,val,ann,no,x\n"
        "./pets/dog/000.png,dog,bird,test,bob,Yes,x\n"
        "pets/dog/000.png,dog,bird,test,bob,Yes,x\n"
    )
    raw = image_folder(table)
    assert raw.ids == ["pets/cat/000.png", "pets/cat/001.png", "pets/dog/000.png"]
    assert raw.class_names == ["bird", "cat", "dog"]
    assert (raw.labels, raw.true_labels) == ([1, 2, 2], [1, 1, 0])
    assert raw.trusted == [False, False, True]
    assert (raw.split, raw.groups) == (["train", "validation", "test"], ["ann", "ann", "bob"])
    assert raw.notes == ["pets.csv has columns that are not read: camera."]
    assert raw.files.keys() == {"pets.csv", *raw.ids}


def test_true_labels_may_come_from_a_table_of_their_own() -> None:
    save_pets()
    lines = [f"{label}/{number}.png,{label}\n" for label in ("cat", "dog") for number in ("000", "001")]
    write_table("path,true_label\n" + "".join(lines).replace("1.png,dog", "1.png,cow"), "truth.csv")
    raw = image_folder("pets", true_labels="truth.csv")
    assert raw.class_names == ["cat", "cow", "dog"]
    assert (raw.labels, raw.true_labels) == ([0, 0, 2, 2], [0, 0, 2, 1])
    write_table("path,true_label\n" + "".join(lines[1:]), "truth.csv")
    with pytest.raises(
        HeftError, match=r"^truth\.csv has no true label for 1 of 4 pictures: cat/000\.png; true labels"
    ):
        image_folder("pets", true_labels="truth.csv")
    both = write_table("path,label,true_label\npets/cat/000.png,a,b\n")
    with pytest.raises(HeftError, match=r"truth\.csv, but the column true_label says the same; leave one of them out"):
        image_folder(both, true_labels="truth.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,class\na,b\n", "has the columns file, class; path and label are missing. It needs path and label, and"),
        ("path,Label\na,b\n", "has the columns path, Label; label is missing"),
        (
            "path,label,trusted\nx.png,cat,maybe\ny.png,dog,yes\n",
            'line 2: column trusted holds "maybe"; allowed: true, yes, 1',
        ),
        ("path,label\na.png,cat\nb.png,dog\n", "names 2 pictures, of which none can be read; the first is a.png"),
        ("path,label\nx.png,cat\ny.png,cat\n", "names pictures of one class, cat; two are needed"),
        ("path,label\nx.png,cat\n,dog\n", "line 3: column path holds nothing"),
        ("path,label\nx.png,cat\nx.png,dog\n", 'line 3: x.png has the label "dog", and on line 2 "cat"; a picture has'),
        ("path,label,split\nx.png,cat,trial\ny.png,dog,test\n", 'line 2: column split holds "trial"; allowed: train,'),
        ("path,label,group\nx.png,cat,\ny.png,dog,a\n", "line 2: column group holds nothing"),
        ("path,label,true_label\nx.png,cat,\ny.png,dog,dog\n", "line 2: column true_label holds nothing"),
    ],
)
def test_each_mistake_in_a_table_is_one_sentence(text: str, sentence: str) -> None:
    for name in ("x.png", "y.png"):
        Image.fromarray(gradient()).save(name)
    with pytest.raises(HeftError) as caught:
        image_folder(write_table(text))
    assert str(caught.value).startswith("pets.csv")
    assert sentence in str(caught.value)
