"""The command line: exit codes for every kind of input, where the output goes, streams that are ASCII or closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"
SICK, WELL = SAMPLES / "q_divergence.log", SAMPLES / "healthy_arcade.log"


def run(*arguments, env=None, stdin=None, cwd=None, **more):
    environ = {
        k: v for k, v in os.environ.items() if not k.startswith("LOGDOCTOR_") and k not in ("NO_COLOR", "FORCE_COLOR")
    }
    environ |= {"PYTHONPATH": str(ROOT), **(env or {})}
    command = [sys.executable, "-m", "logdoctor", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, env=environ, input=stdin, cwd=cwd, check=False, timeout=300, **more
    )


def rows(count, start=0):
    return "".join(f"step {i * 100} loss {1 / (i + 1):.5f} reward {i * 0.5:.3f}\n" for i in range(start, start + count))


def one_line(done):
    text = done.stderr.decode()
    assert "Traceback" not in text
    assert "internal error" not in text
    return text


# ---------------------------------------------------------------------------------------------- the exit-code matrix
@pytest.mark.parametrize("name", ["sick", "well"])
def test_judged_logs(name):
    done = run("analyze", {"sick": SICK, "well": WELL}[name], "-f", "json")
    assert done.returncode == {"sick": 1, "well": 0}[name], done.stderr
    assert json.loads(done.stdout)["schema"] == "logdoctor.diagnosis/1"


def empty(tmp_path):
    (tmp_path / "x.log").write_bytes(b"")


def blank(tmp_path):
    (tmp_path / "x.log").write_bytes(b"\n\n  \n")


def prose(tmp_path):
    (tmp_path / "x.log").write_text("It was a dark night.\nThe rain fell in torrents.\n" * 50, encoding="utf-8")


def no_metrics(tmp_path):
    (tmp_path / "x.log").write_text("INFO starting\nINFO loading data\nINFO done\n" * 30, encoding="utf-8")


def two_points(tmp_path):
    (tmp_path / "x.log").write_text(rows(2), encoding="utf-8")


@pytest.mark.parametrize("make", [empty, blank, prose, no_metrics, two_points], ids=lambda f: f.__name__)
def test_nothing_to_judge_is_3_with_one_sentence_and_a_diagnosis(make, tmp_path):
    make(tmp_path)
    done = run("analyze", "x.log", "-f", "json", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert len(one_line(done).strip().splitlines()) == 1
    data = json.loads(done.stdout)
    assert data["verdict"] == "inconclusive"
    assert run("analyze", "x.log", "--allow-empty", cwd=tmp_path).returncode == 0


def binary(tmp_path):
    (tmp_path / "x.log").write_bytes(bytes(range(256)) * 40)
    return "x.log"


def missing(tmp_path):
    return "none.log"


def no_match(tmp_path):
    return "*.nothing"


def directory_without_logs(tmp_path):
    (tmp_path / "d").mkdir()
    return "d"


@pytest.mark.parametrize("make", [binary, missing, no_match, directory_without_logs], ids=lambda f: f.__name__)
def test_input_errors_are_2_with_one_sentence(make, tmp_path):
    done = run("analyze", make(tmp_path), cwd=tmp_path)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert len(one_line(done).strip().splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_no_permission_is_2(tmp_path):
    log = tmp_path / "x.log"
    log.write_text(rows(20), encoding="utf-8")
    log.chmod(0)
    assert run("analyze", log).returncode == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "latin-1"])
def test_other_encodings_are_read(encoding, tmp_path):
    text = "Ausführung läuft\n" + rows(40)
    bom = b"\xff\xfe" if encoding == "utf-16-le" else b""
    (tmp_path / "x.log").write_bytes(bom + text.encode(encoding))
    done = run("analyze", "x.log", "-f", "json", "--fail-on", "never", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reading"]["rows"] == 40


def test_a_log_that_is_cut_off_in_a_row_is_judged(tmp_path):
    (tmp_path / "x.log").write_text(rows(60) + "step 6000 loss 0.0", encoding="utf-8")
    done = run("analyze", "x.log", "-f", "json", "--fail-on", "never", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reading"]["rows"] >= 60


@pytest.mark.slow
@pytest.mark.parametrize("text", ["x", "loss 0.1 ", "1 2 3 "], ids=["letters", "pairs", "numbers"])
def test_one_line_of_50_megabytes(text, tmp_path):
    (tmp_path / "x.log").write_bytes((text * (50_000_000 // len(text))).encode())
    done = run("analyze", "x.log", "-f", "json", cwd=tmp_path)
    assert done.returncode in (0, 3), done.stderr
    one_line(done)
    json.loads(done.stdout)


def test_one_bad_file_loses_no_other(tmp_path):
    (tmp_path / "a.log").write_text(rows(40), encoding="utf-8")
    binary(tmp_path)
    (tmp_path / "z.log").write_text(rows(40), encoding="utf-8")
    done = run("analyze", "a.log", "x.log", "none.log", "z.log", "-f", "json", "--fail-on", "never", cwd=tmp_path)
    assert done.returncode == 2
    assert [json.loads(line)["source"]["path"] for line in done.stdout.splitlines()] == ["a.log", "z.log"]
    assert "x.log" in done.stderr.decode()
    assert "none.log" in done.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["analyze"],
        ["analyse", "x"],
        ["analyze", str(WELL), "--fomat", "json"],
        ["analyze", str(WELL), "-f", "jsn"],
        ["analyze", str(WELL), "-o", "report.xyz"],
        ["analyze", str(WELL), "--fail-on", "sometimes"],
        ["analyze", str(WELL), "--select", "LD9999"],
        ["analyze", str(WELL), "--settings", "none.toml"],
        ["analyze", str(WELL), "--color", "blue"],
        ["analyze", str(WELL), "--parser", "none"],
        ["analyze", str(WELL), "--config", "none.yaml"],
        ["analyze", str(WELL), "--known", "none.json"],
        ["analyze", str(WELL), "--excerpt", "-f", "json"],
        ["check", str(WELL), "--against", "none.json"],
        ["compare", str(WELL), "none.log"],
        ["render", "none.json"],
        ["explain", "LD9999"],
        ["export", str(WELL), "-f", "parquet"],
        ["rules", "-f", "xml"],
        ["demo", "nothing"],
    ],
    ids=lambda a: " ".join(Path(x).name for x in a) or "nothing",
)
def test_wrong_usage_is_2_and_says_what_is_wrong(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    if arguments:
        assert one_line(done).strip()


def test_an_error_of_our_own_is_2():
    code = (
        "import sys, logdoctor.reporting as r\n"
        "def broken(*a, **k): raise ZeroDivisionError('x')\n"
        "r.report = broken\nsys.argv = ['logdoctor', 'analyze', 'x']\n"
        "from logdoctor.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert b"internal error" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_error_of_our_own_on_one_log_loses_no_other(monkeypatch):
    from logdoctor import analysing

    plain = analysing.diagnose

    def broken(log, *rest):
        if log.source.path == "bad":
            raise ZeroDivisionError("x")
        return plain(log, *rest)

    read = analysing.read_log
    monkeypatch.setattr(analysing, "diagnose", broken)
    monkeypatch.setattr(analysing, "read_log", lambda log, **more: _called(read(SICK, **more), log))
    first, second = analysing.analyze(["bad", "good"])
    assert first.exit_code == 2
    assert "internal error" in first.message
    assert second.verdict == "critical"


def _called(log, path):
    from dataclasses import replace

    return replace(log, source=replace(log.source, path=path))


# ------------------------------------------------------------------------------------------------- gate and outputs
def test_fail_on_and_known(tmp_path):
    assert run("analyze", SICK, "--fail-on", "never", "-o", tmp_path / "r.json").returncode == 0
    assert run("analyze", SICK, "--known", tmp_path / "r.json").returncode == 0
    assert run("analyze", SAMPLES / "feature_explosion.log", "--known", tmp_path / "r.json").returncode == 1


def test_select_and_ignore(tmp_path):
    done = run("analyze", SICK, "-f", "json", "--select", "LD2", "--fail-on", "never")
    assert {check["id"][:3] for check in json.loads(done.stdout)["checks"]} == {"LD2"}
    done = run("analyze", SICK, "-f", "json", "--ignore", "LD4,LD5", "--fail-on", "never")
    assert not {"LD4", "LD5"} & {check["id"][:3] for check in json.loads(done.stdout)["checks"]}


def test_settings_of_the_working_directory(tmp_path):
    (tmp_path / "logdoctor.toml").write_text('fail-on = "never"\n', encoding="utf-8")
    assert run("analyze", SICK, cwd=tmp_path).returncode == 0
    assert run("analyze", SICK, "--fail-on", "critical", cwd=tmp_path).returncode == 1


def test_each_file_gets_the_format_of_its_suffix(tmp_path):
    names = ["r.json", "r.md", "r.html", "r.sarif", "r.xml", "r.gitlab.json"]
    done = run("analyze", WELL, *[part for name in names for part in ("-o", name)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    texts = {name: (tmp_path / name).read_text(encoding="utf-8") for name in names}
    assert json.loads(texts["r.json"])["schema"] == "logdoctor.diagnosis/1"
    assert json.loads(texts["r.sarif"])["version"] == "2.1.0"
    assert isinstance(json.loads(texts["r.gitlab.json"]), list)
    assert texts["r.md"].startswith("# ")
    assert "<html" in texts["r.html"]
    assert texts["r.xml"].startswith("<?xml")


def test_a_format_is_used_up_by_the_file_that_can_hold_it(tmp_path):
    done = run("analyze", WELL, "-f", "gitlab", "-o", "codequality.json", cwd=tmp_path)
    assert done.stdout == b""
    assert isinstance(json.loads((tmp_path / "codequality.json").read_text(encoding="utf-8")), list)
    done = run("analyze", WELL, "-f", "json", "-o", "r.md", cwd=tmp_path)
    assert json.loads(done.stdout)
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# ")


def test_a_pipe_gets_markdown_and_several_logs_come_one_after_another():
    done = run("analyze", WELL, SICK, "--fail-on", "never")
    text = done.stdout.decode()
    assert text.count("\n# ") + text.startswith("# ") >= 2
    assert "2 logs" in done.stderr.decode()
    assert run("analyze", WELL, SICK, "-q", "--fail-on", "never").stderr == b""


def test_standard_input():
    done = run("analyze", "-", "-f", "json", stdin=WELL.read_bytes())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"]["path"] == "-"


def test_the_json_is_lossless(tmp_path):
    from logdoctor import Diagnosis, diagnose, render
    from logdoctor.registry import records

    report = diagnose(SICK)
    back = Diagnosis.from_dict(json.loads(render(report, "json")))
    for name in records("logdoctor.renderers", "RENDERER"):
        assert render(back, name) == render(report, name), name
    (tmp_path / "r.json").write_text(render(report, "json"), encoding="utf-8")
    saved = run("render", "r.json", "-f", "markdown", cwd=tmp_path)
    assert saved.returncode == 1
    assert saved.stdout.decode() == render(report, "markdown")


def test_step_summary(tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    done = run("analyze", SICK, "-f", "github", env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert done.stdout.startswith(b"::error file=")
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "# " in text


# ----------------------------------------------------------------------------------------------------------- streams
@pytest.mark.parametrize("name", ["markdown", "terminal", "json", "sarif"])
def test_an_ascii_terminal_prints_everything(name):
    done = run("analyze", SICK, "-f", name, "--fail-on", "never", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("ascii")
    assert text.strip()
    if name == "json":
        unicode = run("analyze", SICK, "-f", name, "--fail-on", "never")
        assert json.loads(text) == json.loads(unicode.stdout)


@pytest.mark.skipif(os.name == "nt", reason="pipes of a POSIX shell")
@pytest.mark.parametrize(
    "arguments", [["analyze", str(SICK)], ["analyze", str(SICK), "-f", "json"], ["rules"], ["export", str(SICK)]]
)
def test_a_closed_pipe_is_no_error(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "logdoctor", *arguments],
            stdout=out,
            stderr=subprocess.PIPE,
            env=environ,
            check=False,
        )
    assert done.returncode == (1 if arguments[0] == "analyze" else 0)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "colour"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_only_where_it_is_wanted(arguments, env, colour):
    done = run("analyze", SICK, "-f", "terminal", *arguments, env=env)
    assert (b"\x1b[" in done.stdout) == colour


def test_output_is_the_same_with_and_without_colour():
    import re

    plain = run("analyze", SICK, "-f", "terminal", "--color", "never").stdout.decode()
    colour = run("analyze", SICK, "-f", "terminal", "--color", "always").stdout.decode()
    stripped = re.sub(r"\x1b\[[\d;]*m", "", colour)
    assert [line.rstrip() for line in stripped.split("\n")] == [line.rstrip() for line in plain.split("\n")]


# --------------------------------------------------------------------------------------------------- other commands
@pytest.mark.parametrize("kind", ["rules", "causes", "formats"])
def test_lists_and_their_pages(kind):
    table = json.loads(run(kind, "-f", "json").stdout)
    assert len(table) > 4
    page = run("explain", table[0]["id"]).stdout.decode()
    assert page.startswith("# ")
    assert table[0]["id"] in page


def test_demo_needs_no_data_and_names_the_next_command(tmp_path):
    done = run("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"# ")
    assert b"logdoctor check" in done.stderr


def test_version():
    from logdoctor import __version__

    assert run("--version").stdout.decode().strip() == f"logdoctor {__version__}"


def test_completion_script():
    env = {"_LOGDOCTOR_COMPLETE": "complete_bash", "COMP_WORDS": "logdoctor ana", "COMP_CWORD": "1"}
    assert b"analyze" in run(env=env).stdout


def test_figures_are_written_and_named_relative_to_the_report(tmp_path):
    (tmp_path / "out").mkdir()
    done = run("analyze", SICK, "--figures", "pictures", "-o", "out/r.md", "--fail-on", "never", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    import re

    names = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (tmp_path / "out" / "r.md").read_text(encoding="utf-8"))
    assert names
    for name in names:
        assert name.startswith("../pictures/")
        assert (tmp_path / "out" / name).read_text(encoding="utf-8").startswith("<svg")


def test_figures_of_several_logs_do_not_overwrite_each_other(tmp_path):
    run("analyze", SICK, WELL, "--figures", "pictures", "-o", "r.md", cwd=tmp_path)
    folders = [item for item in (tmp_path / "pictures").iterdir() if item.is_dir()]
    assert len(folders) == 2


def test_a_directory_holds_logs_and_not_its_code():
    done = run("analyze", SAMPLES, "-f", "json", "--fail-on", "never")
    assert done.returncode == 0, done.stderr
    paths = [json.loads(line)["source"]["path"] for line in done.stdout.splitlines()]
    assert paths == sorted(paths)
    assert {Path(path).suffix for path in paths} == {".log"}


def test_what_cannot_be_judged_is_never_green_in_ci_outputs(tmp_path):
    (tmp_path / "two.log").write_text(rows(2), encoding="utf-8")
    done = run("analyze", "two.log", "-o", "x.sarif", "-o", "x.xml", "-o", "x.gitlab.json", cwd=tmp_path)
    assert done.returncode == 3
    assert json.loads((tmp_path / "x.sarif").read_text())["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert "<error" in (tmp_path / "x.xml").read_text()
    assert json.loads((tmp_path / "x.gitlab.json").read_text())[0]["severity"] == "blocker"
