import pytest

from steer_engine import ModelError
from steer_engine.catalogue.choice import FileGroup, choose, group_files, quantization_of


@pytest.mark.parametrize(
    ("file", "label"),
    [
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("Llama-3.2-1B-Instruct-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS"),
        ("Q8_0/model-00001-of-00002", "Q8_0"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model-bf16.gguf", "BF16"),
        ("model-f16-Q6_K.gguf", "Q6_K"),
        ("steermagic-tiny.gguf", ""),
        ("q2-model.gguf", "Q2"),
    ],
)
def test_a_name_tells_the_quantization(file, label):
    assert quantization_of(file) == label


def test_parts_are_one_model_and_other_files_none():
    files = [
        "a-Q4_K_M.gguf", "b-Q8_0-00002-of-00002.gguf", "b-Q8_0-00001-of-00002.gguf",
        "c-00001-of-00003.gguf", "mmproj-a-F16.gguf", "README.md", "imatrix.gguf",
    ]  # fmt: skip
    groups = group_files(files)
    assert groups == [
        FileGroup("Q4_K_M", ("a-Q4_K_M.gguf",)),
        FileGroup("Q8_0", ("b-Q8_0-00001-of-00002.gguf", "b-Q8_0-00002-of-00002.gguf"), 2),
        FileGroup("", ("c-00001-of-00003.gguf",), 3),
    ]
    assert [group.is_whole for group in groups] == [True, True, False]


@pytest.mark.parametrize(
    ("wanted", "file"),
    [(None, "m-Q4_K_M.gguf"), ("q8_0", "x/m-Q8_0.gguf"), ("M-Q8_0.gguf", "x/m-Q8_0.gguf")],
)
def test_the_usual_one_is_taken_unless_another_is_named(wanted, file):
    groups = group_files(["x/m-Q8_0.gguf", "m-Q4_K_M.gguf"])
    assert choose(groups, wanted, where="o/r").files == (file,)


def test_the_only_one_is_taken():
    assert choose(group_files(["odd.gguf"]), None, where="o/r").files == ("odd.gguf",)


@pytest.mark.parametrize(
    ("files", "wanted", "said"),
    [
        ([], None, r"o/r has no \.gguf file of a language model"),
        (["m-Q8_0.gguf", "m-Q6_K.gguf"], "Q4_0", "o/r has no Q4_0; it has Q6_K, Q8_0"),
        (["m-Q8_0.gguf", "m-Q6_K.gguf"], None, "o/r has Q6_K, Q8_0; say which, with :"),
        (["a-Q8_0.gguf", "b-Q8_0.gguf"], "Q8_0", r"has a-Q8_0\.gguf, b-Q8_0\.gguf; say which"),
        ([f"{i:02}.gguf" for i in range(15)], None, r"11\.gguf and 3 more; say which"),
        (["m-00001-of-00002.gguf"], None, "is one of 2 files, and 1 of them are there"),
    ],
)
def test_what_cannot_be_chosen_is_listed(files, wanted, said):
    with pytest.raises(ModelError, match=said):
        choose(group_files(files), wanted, where="o/r")
