"""Sources: what the user names becomes numbered text, within limits, and nothing is lost in silence."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import random
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from logdoctor.errors import InputError, MissingExtraError
from logdoctor.sources import Limits, Source, open_source

TEXT = "Frame  ClipΔ\n  1,024  0.500\r\n  2,048  0.250\n[bar 1]\r[bar 2]\nlast"
LINES = ["Frame  ClipΔ", "  1,024  0.500", "  2,048  0.250", "[bar 1]\r[bar 2]", "last"]


def source_of(data: bytes, **limits: int) -> Source:
    return open_source(io.BytesIO(data), limits=Limits(**limits))


def texts(source: Source) -> list[str]:
    numbered = list(source.lines())
    assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    return [text for _, text in numbered]


def issue_texts(source: Source) -> str:
    return " | ".join(issue.text for issue in source.issues)


# ------------------------------------------------------------------------------------------------------ line numbers


def test_lines_are_those_of_the_file_and_a_carriage_return_is_a_redraw():
    source = source_of(TEXT.encode())
    assert texts(source) == LINES
    assert source.info.lines == 5
    assert source.info.bytes == len(TEXT.encode())
    assert source.info.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert source.issues == ()


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_other_line_separators_do_not_count(odd):
    assert texts(source_of(f"a{odd}b\nc\n".encode())) == [f"a{odd}b", "c"]


@pytest.mark.parametrize(
    ("data", "count"), [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2), (b"\n\nb", 3)]
)
def test_line_count(data, count):
    source = source_of(data)
    assert len(texts(source)) == count
    assert source.info.lines == count


def test_blocks_end_at_line_ends(tmp_path):
    path = tmp_path / "long.log"
    path.write_bytes(b"".join(b"step %d loss 0.5\n" % i for i in range(200_000)) + b"cut")
    blocks = list(open_source(path).blocks())
    assert len(blocks) > 2
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert b"".join(blocks) == path.read_bytes()


# ---------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_with_and_without_a_mark(encoding):
    text = TEXT + "\n" + "step 1 loss 0.5\n" * 20
    source = source_of(text.encode(encoding))
    assert texts(source)[:5] == LINES
    assert source.issues == ()


def test_utf16_with_byte_order_marks():
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        source = source_of(mark + TEXT.encode(encoding))
        assert texts(source) == LINES
        assert source.info.encoding == encoding


def test_latin1_is_the_last_resort_and_is_told():
    source = source_of("ok ä\n".encode() + "größe 1.5\n".encode("latin-1"))
    assert texts(source) == ["ok ä", "größe 1.5"]
    assert source.info.encoding == "latin-1"
    (issue,) = source.issues
    assert issue.line == 2


@pytest.mark.parametrize("page", ["mac_roman", "cp1252"])
def test_mojibake_is_repaired_and_numbers_are_untouched(page):
    good = "GradNorm  ClipΔ\n 7.336  0.682\n🚨 Q → 12,5 · ε 0.05 ⚠️\n"
    damaged = "".join(_misread(byte, page) if byte > 127 else chr(byte) for byte in good.encode())
    source = source_of(damaged.encode())
    assert "\n".join(texts(source)) + "\n" == good
    assert "Mac Roman" in issue_texts(source) or "cp1252" in issue_texts(source)
    assert source.issues[0].line == 1


def _misread(byte: int, page: str) -> str:
    try:
        return bytes([byte]).decode(page)
    except UnicodeDecodeError:
        return chr(byte)


def test_the_sign_that_mac_roman_lacks_in_front_of_an_emoji():
    assert texts(source_of("üö® Loss 1.0\n".encode())) == ["🚨 Loss 1.0"]


@pytest.mark.parametrize("good", ["é 1", "≈±0.1 and ≈π", "— été “ok” …", "━━━ 5/10", "Größe 3 µm", "損失 0.5", "“É”"])
def test_good_text_is_not_repaired(good):
    source = source_of((good + "\n").encode())
    assert texts(source) == [good]
    assert source.issues == ()


def test_a_character_cut_at_the_end_of_the_file():
    source = source_of("loss 0.5 → 0.4 Δ".encode()[:-1])
    assert texts(source)[0].startswith("loss 0.5 → 0.4 ")
    assert len(source.issues) == 1


def test_nul_bytes_are_removed_and_told():
    source = source_of(b"step 1\n" + b"\x00" * 5000 + b"step 2\nstep 3\n")
    assert texts(source) == ["step 1", "step 2", "step 3"]
    (issue,) = source.issues
    assert (issue.line, issue.text) == (2, "NUL bytes were removed")


# ---------------------------------------------------------------------------------------------------------- compressed

PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
ROWS = b"".join(b"step %d loss %f\n" % (i, random.Random(i).random()) for i in range(60_000))


@pytest.mark.parametrize("kind", PACKERS)
def test_compressed_logs(kind, tmp_path):
    path = tmp_path / "no_suffix"
    packed = PACKERS[kind](ROWS)
    path.write_bytes(packed)
    source = open_source(path)
    assert b"".join(source.blocks()) == ROWS
    assert source.info.compression == kind
    assert source.info.bytes == len(packed)
    assert source.info.sha256 == hashlib.sha256(packed).hexdigest()
    assert source.fetch([1, 40_000]) == {1: texts(source_of(ROWS))[0], 40_000: texts(source_of(ROWS))[39_999]}


@pytest.mark.parametrize("kind", PACKERS)
def test_several_members(kind):
    source = source_of(PACKERS[kind](b"a\n") + PACKERS[kind](b"b\n"))
    assert texts(source) == ["a", "b"]


@pytest.mark.parametrize("kind", PACKERS)
def test_a_truncated_file_gives_what_there_is(kind):
    packed = PACKERS[kind](ROWS)
    source = source_of(packed[: len(packed) * 3 // 4])
    read = b"".join(source.blocks())
    assert 0 < len(read) < len(ROWS)
    assert ROWS.startswith(read)
    assert "cut off" in issue_texts(source)


def test_a_corrupt_middle_is_told():
    packed = bytearray(gzip.compress(ROWS))
    packed[len(packed) // 2 : len(packed) // 2 + 200] = os.urandom(200)
    source = source_of(bytes(packed))
    list(source.blocks())
    assert "damaged" in issue_texts(source)


def test_a_bomb_stops_and_needs_little_memory():
    bomb = gzip.compress(b"0" * (128 << 20))
    tracemalloc.start()
    source = source_of(bomb, decompressed_bytes=1 << 40)
    size = sum(len(block) for block in source.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size <= 8 << 20
    assert "unpacking stopped" in issue_texts(source)
    assert peak < 80 << 20


def test_zstandard_without_the_extra_says_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    if sys.version_info >= (3, 14):
        pytest.skip("in the standard library")
    with pytest.raises(MissingExtraError, match=r"logdoctor\[zstd\]"):
        source_of(b"\x28\xb5\x2f\xfd" + b"x" * 50)


def test_zstandard():
    zstandard = pytest.importorskip("zstandard")
    assert b"".join(source_of(zstandard.ZstdCompressor().compress(ROWS)).blocks()) == ROWS


# -------------------------------------------------------------------------------------------------------------- limits


def test_a_line_without_end_is_cut_and_the_next_line_keeps_its_number():
    data = b"first\n" + b"x" * 3_000_000 + b"\nthird\n"
    source = source_of(data, line_bytes=1_000_000)
    read = texts(source)
    assert [len(text) for text in read] == [5, 1_000_000, 5]
    assert source.info.lines == 3
    (issue,) = source.issues
    assert issue.line == 2
    assert source.fetch([3]) == {3: "third"}


def test_memory_of_a_huge_line(tmp_path):
    path = tmp_path / "huge.log"
    with path.open("wb") as handle:
        for _ in range(128):
            handle.write(b"y" * (1 << 20))
    tracemalloc.start()
    blocks = [len(block) for block in open_source(path).blocks()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert blocks == [8 << 20]
    assert peak < 64 << 20


def test_an_endless_stream_stops_at_its_limit():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def read(self, size=-1):
            return b"yes\n" * (size // 4)

    source = open_source(Endless(), limits=Limits(stream_bytes=4_000_000))
    assert sum(1 for _ in source.lines()) == 1_000_000
    assert "limit for a stream" in issue_texts(source)


def test_a_stream_can_be_read_twice_and_fetched():
    source = source_of(ROWS)
    first = list(source.lines())
    assert list(source.lines()) == first
    assert source.fetch([2, 60_000]) == {2: first[1][1], 60_000: first[-1][1]}


def test_a_document_that_is_too_large_is_refused():
    with pytest.raises(InputError, match="too large"):
        source_of(b"[" + b"1," * 2_000_000, document_bytes=1 << 20).document()


# ----------------------------------------------------------------------------------------------------- odd files


def test_fetch_reads_only_what_is_asked_for(tmp_path):
    path = tmp_path / "run.log"
    path.write_bytes(b"\xef\xbb\xbf" + ROWS)
    source = open_source(path)
    assert source.fetch([7]) == {7: texts(source)[6]}  # before and after a complete pass
    wanted = [1, 2, 30_000, 59_999, 60_000, 70_000, 0, -3]
    expected = dict(source.lines())
    assert source.fetch(wanted) == {n: expected[n] for n in (1, 2, 30_000, 59_999, 60_000)}


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "run.log"
    path.write_bytes(ROWS)
    source = open_source(path)
    blocks = source.blocks()
    next(blocks)
    path.write_bytes(ROWS[:100])
    list(blocks)
    assert "shorter while it was read" in issue_texts(source)
    assert source.fetch([50_000]) == {}


def test_a_rotated_file_is_not_quoted_from_its_successor(tmp_path):
    path = tmp_path / "run.log"
    path.write_bytes(ROWS)
    source = open_source(path)
    list(source.blocks())
    path.rename(tmp_path / "run.log.1")
    path.write_bytes(b"another run\n" * 500_000)
    assert source.fetch([3]) == {}


def test_a_growing_file_is_read_up_to_the_size_it_had(tmp_path):
    path = tmp_path / "run.log"
    path.write_bytes(ROWS)
    source = open_source(path)
    with path.open("ab") as handle:
        handle.write(b"later\n")
    assert texts(source)[-1] == ROWS.decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "a PNG picture"),
        ("model.pt", b"PK\x03\x04" + b"\x00" * 100, "a zip archive"),
        ("noise", random.Random(1).randbytes(4096), "binary data"),
        ("table", b"PAR1" + b"\x00" * 100, "a Parquet file"),
    ],
)
def test_binary_files_give_one_sentence(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        list(open_source(path).lines())
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_console_recording_is_no_binary_file():
    bar = "\x1b[2K\r 50%|#####     | 5/10 [00:01<00:01]\x08\x08"
    assert len(texts(source_of((bar * 400 + "\n").encode()))) == 1


def test_missing_directory_and_device(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        open_source(tmp_path / "none.log")
    with pytest.raises(InputError, match="is a directory"):
        open_source(tmp_path)
    with pytest.raises(InputError, match="device"):
        open_source("/dev/zero")


def test_a_link_to_itself(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match="loop"):
        open_source(loop)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "secret.log"
    path.write_text("step 1")
    path.chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        open_source(path)


def test_permission_error_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "secret.log"
    path.write_text("step 1")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="permission denied"):
        open_source(path)


def test_a_named_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"step 1\nstep 2\n"))
    writer.start()
    source = open_source(path)
    assert texts(source) == ["step 1", "step 2"]
    assert source.fetch([2]) == {2: "step 2"}
    writer.join()


def test_standard_input():
    code = (
        "from logdoctor.sources import open_source; s = open_source('-'); "
        "print(len(list(s.lines())), s.fetch([2])[2], s.info.path)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"a\nb\nc\n", capture_output=True, check=True)
    assert done.stdout.decode().split() == ["3", "b", "-"]


def test_a_url_without_the_extra_says_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"logdoctor\[remote\]"):
        open_source("s3://bucket/run.log")


def test_a_url_through_fsspec():
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://logs/run.log", "wb") as handle:
        handle.write(b"step 1\nstep 2\n")
    source = open_source("memory://logs/run.log")
    assert texts(source) == ["step 1", "step 2"]
    assert source.fetch([1]) == {1: "step 1"}
    with pytest.raises(InputError, match="cannot read memory://logs/none"):
        open_source("memory://logs/none.log")
