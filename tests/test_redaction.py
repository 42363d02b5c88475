"""Addresses are shown, logged and stored without the credentials in them."""

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.redaction import redact_logs, redacted, split_credentials


@pytest.mark.fault(20)
@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("http://keeper:secret@mlflow.example:5000/#/x", "http://***@mlflow.example:5000/#/x"),
        ("no answer at 'https://token@host', or later", "no answer at 'https://***@host', or later"),
        ("postgresql+psycopg2://u:p%40ss@db/mnist?x=1", "postgresql+psycopg2://***@db/mnist?x=1"),
        ("postgresql://u:pa/ss@wo?rd@db/mnist", "postgresql://***@db/mnist"),
        ("mysql+pymysql://u:12/34@db:3306/mnist", "mysql+pymysql://***@db:3306/mnist"),
        ("http://u:1234@host:5000/", "http://***@host:5000/"),
        ("postgresql://db/mnist?user=u&password=secret&x=1", "postgresql://db/mnist?user=u&password=***&x=1"),
        ("https://store/x?X-Amz-Credential=a&sig=b#end", "https://store/x?X-Amz-Credential=***&sig=***#end"),
        ("two: http://a:b@c ftp://d:e@f", "two: http://***@c ftp://***@f"),
        ('{"uri": "http://a:b@c", "mail": "d@e"}', '{"uri": "http://***@c", "mail": "d@e"}'),
    ],
)
def test_credentials_are_hidden(text, safe):
    assert redacted(text) == safe


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me@example.org",
        "http://127.0.0.1:4200/runs/flow-run/1?design=2",
        "sqlite:////home/me@work/state/mlflow.db",
        "models:/mnist-classifier@champion",
        "http://127.0.0.1:5000/#/models/mnist@champion",
        '{"first": "http://host", "second": "me@home"}',
        '<html xmlns="http://www.w3.org/1999/xhtml"><img src="data:image/png;base64,AAkeyAA+pwd/A==">',
    ],
)
def test_everything_else_stays(text):
    assert redacted(text) == text


# Everything that an address may hold, and what databases' may hold besides.
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters='"<>'), max_size=20)


@given(
    before=st.text(max_size=20),
    user=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=10),
    password=WORDS,
    after=st.text(max_size=20),
)
def test_no_password_is_let_through(before, user, password, after):
    secret = f"{password}Ω"
    safe = redacted(f"{before} postgresql://{user}:{secret}@db/mnist {after}")
    assert "Ω" not in safe.removeprefix(before).removesuffix(after)
    assert secret not in safe.removeprefix(before).removesuffix(after)


def test_an_address_and_its_credentials_are_told_apart():
    assert split_credentials("http://u:p%40s@host:1/api") == ("http://host:1/api", "u", "p@s")
    assert split_credentials("https://token@host") == ("https://host", "token", "")
    assert split_credentials("http://host:1/a@b") == ("http://host:1/a@b", "", "")
    with pytest.raises(ValueError, match="IPv6"):
        split_credentials("http://[")


@pytest.mark.slow
def test_long_texts_take_no_time():
    began = time.process_time()
    for text in ("a" * 10**6, "key" * 10**6, "?key" * 10**4, "://" * 10**5, "://a:b" * 10**4):
        redacted(f"http://{text}")
        redacted(f"{text} http://")
    assert time.process_time() - began < 20


@pytest.fixture
def logger():
    """A logger whose records are made as they are after `redact_logs`, and as they were before once it has ended."""
    factory = logging.getLogRecordFactory()
    redact_logs()
    redact_logs()  # a second time changes nothing
    yield logging.getLogger("redaction")
    logging.setLogRecordFactory(factory)


def test_logs_hold_no_credentials(logger, caplog):
    try:
        raise ConnectionError("http://u:secret@host is away")
    except ConnectionError as error:
        logger.exception("gone: %s", error)
    logger.warning("%d of %s", 1, ["postgresql://u:secret@db"])
    assert "http://***@host is away" in caplog.text
    assert "1 of ['postgresql://***@db']" in caplog.text
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_other_records_stay_as_they_are(logger, caplog):
    logger.warning("%s answers at %s", "it", "http://host")
    assert caplog.records[0].args == ("it", "http://host")
