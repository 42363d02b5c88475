from mnist_models.class_titles import are_numbers, class_titles, listed


def test_numbers_are_said_to_be_classes():
    assert class_titles(("0", "1")) == ("class 0", "class 1")
    assert class_titles(("3", "12")) == ("class 3", "class 12")
    assert class_titles(("0", "b")) == ("0", "b")
    assert are_numbers(("0", "12"))
    assert not are_numbers(("0", "-1"))


def test_a_sentence_names_the_first_classes():
    assert listed(("circle", "square")) == "2 classes: circle, square"
    assert listed(tuple("0123")) == "4 classes"
    many = listed(tuple(f"kind {number} {'x' * 100}" for number in range(1000)))
    assert many.startswith("1,000 classes: kind 0 xxx")
    assert many.endswith(" and 992 more")
    assert len(many) < 400
