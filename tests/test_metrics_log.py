import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.training_run.metrics_log import MetricsLog, iterate_records, read_records, to_history

RECORDS = [{"step": step, "time": 1000 + step, "train/loss": 1 / step, "train/accuracy": 0.5} for step in range(1, 9)]
CHECK = {"step": 8, "time": 1009, "validation/loss": float("nan"), "validation/accuracy": 0.4}


def write(path, records):
    log = MetricsLog(path)
    log.append(records)
    log.close()


def test_what_is_appended_is_read(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [*RECORDS, CHECK])
    history = to_history(read_records(path)[0])
    np.testing.assert_array_equal(history["train/loss"][0], range(1, 9))
    np.testing.assert_allclose(history["train/loss"][1], [1 / step for step in range(1, 9)])
    assert np.isnan(history["validation/loss"][1]).all()


def test_reading_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, RECORDS[:3])
    first, end = read_records(path)
    write(path, RECORDS[:6])
    second, end = read_records(path, end)
    assert first + second == RECORDS[:6]
    assert read_records(path, end) == ([], end)


@given(st.integers(min_value=0, max_value=2000))
def test_cut_at_any_byte_and_resumed_it_holds_every_record_once(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("log") / "metrics.jsonl"
    write(path, [*RECORDS, CHECK])
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))])
    # The training goes on from a checkpoint that lies before the cut, and computes the same values again.
    write(path, [*RECORDS, CHECK])
    assert [json.dumps(record) for record in read_records(path)[0]] == [json.dumps(r) for r in [*RECORDS, CHECK]]


@given(st.data())
def test_cut_at_any_byte_the_records_before_it_are_read(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("log") / "metrics.jsonl"
    write(path, RECORDS)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    records, end = read_records(path)
    assert records == RECORDS[: whole[:cut].count(b"\n")]
    assert end == whole[:cut].rfind(b"\n") + 1
    assert list(iterate_records(path)) == records
    # A reader that has come that far goes on without a gap once the rest is written.
    write(path, RECORDS)
    assert records + read_records(path, end)[0] == RECORDS


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_records(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("log") / "metrics.jsonl"
    path.write_bytes(content + b"\n" + json.dumps(RECORDS[0]).encode() + b"\n")
    records, end = read_records(path)
    assert records[-1:] == [RECORDS[0]]
    assert end == len(content) + 1 + len(json.dumps(RECORDS[0])) + 1


def test_a_missing_log_is_empty(tmp_path):
    assert read_records(tmp_path / "none") == ([], 0)
