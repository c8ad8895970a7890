"""Weights & Biases run folder: the console log (or the old history file) with the settings of ``config.yaml``."""

from __future__ import annotations

from pathlib import Path

from logdoctor.configfiles import read_config
from logdoctor.documents._record import Document, Probe, Sheet
from logdoctor.errors import InputError
from logdoctor.model import Issue

_LOGS = ("wandb-history.jsonl", "output.log")


def sniff(probe: Probe) -> bool:
    """Whether the folder is a run: ``files`` with a W&B file in it, or that folder itself."""
    return probe.folder and any(
        (_files(probe.path) / name).is_file() for name in ("wandb-summary.json", "wandb-metadata.json", *_LOGS)
    )


def read(probe: Probe) -> Sheet:
    """Lead to the text log of the run.

    Raises:
        InputError: the folder holds no text log (only the binary ``.wandb`` file, which needs W&B itself).
    """
    files = _files(probe.path)
    sheet = Sheet()
    config = files / "config.yaml"
    if config.is_file():
        try:
            sheet.settings = read_config(config)
        except InputError as error:
            sheet.issues.append(Issue(line=None, text=str(error)))
    sheet.redirect = next((files / name for name in _LOGS if (files / name).is_file()), None)
    if sheet.redirect is None:
        raise InputError(f"{probe.path} holds no output.log; the binary .wandb file can only be read by W&B itself")
    return sheet


def _files(path: Path) -> Path:
    return path / "files" if (path / "files").is_dir() else path


DOCUMENT = Document(
    id="wandb_folder",
    title="Weights & Biases run folder",
    description="files/output.log (or the old wandb-history.jsonl) as text, with the settings of files/config.yaml.",
    sniff=sniff,
    read=read,
)
