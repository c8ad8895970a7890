"""Static reading of training code: each pattern on code that shows it and on the mended code."""

from __future__ import annotations

from pathlib import Path

import pytest

from logdoctor.errors import InputError
from logdoctor.sourcecode import read_code

CASES = {
    "clip-commented-out": (
        "def train(net, loss, optimizer):\n    loss.backward()\n"
        "    # torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)\n    optimizer.step()\n",
        3,
        "import torch\ndef train(net, loss, optimizer):\n    loss.backward()\n"
        "    norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)\n    optimizer.step()\n    return norm\n",
    ),
    "clip-result-discarded": (
        "import torch\ndef train(net, loss):\n    loss.backward()\n    torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)\n",
        4,
        "import torch\ndef train(net, loss):\n    loss.backward()\n    return float(torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0))\n",
    ),
    "zero-init": (
        "import torch.nn as nn\nclass Head(nn.Module):\n    def __init__(self):\n        nn.init.constant_(self.out.weight, 0.0)\n",
        4,
        "import torch.nn as nn\nclass Head(nn.Module):\n    def __init__(self):\n"
        "        nn.init.uniform_(self.out.weight, -0.003, 0.003)\n        nn.init.constant_(self.out.bias, 0.0)\n",
    ),
    "conv-without-norm": (
        "import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        self.a = nn.Conv2d(4, 32, 8)\n        self.b = nn.Conv2d(32, 64, 4)\n",
        4,
        "import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        self.a = nn.Conv2d(4, 32, 8)\n        self.n = nn.LayerNorm([32, 20, 20])\n        self.b = nn.Conv2d(32, 64, 4)\n",
    ),
    "activation-mismatch": (
        "import torch\nclass Base:\n    def firing_rate(self, x):\n        return torch.tanh(x)\n"
        "class Simple(Base):\n    def recurrent_step(self, x):\n        return torch.relu(x)\n",
        7,
        "import torch\nclass Base:\n    def firing_rate(self, x):\n        return torch.tanh(x)\n"
        "class Simple(Base):\n    def recurrent_step(self, x):\n        return torch.tanh(x)\n",
    ),
    "logged-outside-update": (
        "def train(self, metrics):\n    if self.total_it % self.policy_freq == 0:\n        self.actor_optimizer.step()\n"
        "    metrics['debug/actor_mlp_grad_norm'] = norm(self.actor)\n",
        4,
        "def train(self, metrics):\n    if self.total_it % self.policy_freq == 0:\n        self.actor_optimizer.step()\n"
        "        metrics['debug/actor_mlp_grad_norm'] = norm(self.actor)\n",
    ),
    "zero-grad-missing": (
        "def train(loss, optimizer):\n    loss.backward()\n    optimizer.step()\n",
        3,
        "def train(loss, optimizer):\n    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n",
    ),
    "target-keeps-gradient": (
        "def update(r, gamma, net, nxt):\n    target = r + gamma * net(nxt).max(1)[0]\n    return target\n",
        2,
        "import torch\ndef update(r, gamma, net, nxt):\n    with torch.no_grad():\n        target = r + gamma * net(nxt).max(1)[0]\n    return target\n",
    ),
    "loss-summed": (
        "import torch.nn.functional as F\nloss = F.mse_loss(a, b, reduction='sum')\n",
        2,
        "import torch.nn.functional as F\nloss = F.mse_loss(a, b, reduction='mean')\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("pattern", CASES)
def test_pattern_is_found_at_its_line_and_not_in_mended_code(pattern: str, tmp_path: Path) -> None:
    broken, line, mended = CASES[pattern]
    (tmp_path / "train.py").write_text(broken, encoding="utf-8")
    facts, skipped = read_code(tmp_path)
    assert [(f.file, f.line) for f in facts if f.id == pattern] == [("train.py", line)]
    assert not skipped
    (tmp_path / "train.py").write_text(mended, encoding="utf-8")
    assert pattern not in {f.id for f in read_code(tmp_path)[0]}


def test_code_is_never_executed(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w').write('x')\n", encoding="utf-8")
    read_code(tmp_path)
    assert not marker.exists()


def test_unparsable_and_unreadable_files_are_named_not_fatal(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def (:\n", encoding="utf-8")
    (tmp_path / "binary.py").write_bytes(b"\x00\xff\x00")
    (tmp_path / "deep.py").write_text("x = " + "(" * 5000 + ")" * 5000, encoding="utf-8")
    (tmp_path / "good.py").write_text(CASES["zero-init"][0], encoding="utf-8")
    facts, skipped = read_code(tmp_path)
    assert [f.id for f in facts] == ["zero-init"]
    assert {s.split(":")[0] for s in skipped} == {"bad.py", "binary.py", "deep.py"}


def test_symlink_loop_ends(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert read_code(tmp_path) == ((), ())


def test_missing_directory_is_one_clear_sentence() -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_code("no-such-directory")
