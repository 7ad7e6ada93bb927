"""What a shell completes after `glioma-idh`, by the script that the command prints."""

import contextlib
import io
import shutil
import subprocess
import sys

import pytest

from glioma_idh.cli import COMMANDS, SHELLS, main

ZSH = """
_describe() { print -rl -- "${(@P)2}"; }
_files() { print FILES; }
words=(TYPED) CURRENT=${#words}
source SCRIPT
"""
BASH = """
source SCRIPT
complete -p glioma-idh
COMP_WORDS=(TYPED) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
_tyro_glioma_idh
printf '%s\\n' "${COMPREPLY[@]}"
"""
PROGRAMS = {"bash": (["bash", "--norc", "-c"], BASH), "zsh": (["zsh", "-f", "-c"], ZSH)}

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The script of every shell, as printed."""
    folder = tmp_path_factory.mktemp("scripts")
    with pytest.MonkeyPatch.context() as patch:
        for shell in SHELLS:
            patch.setattr(sys, "argv", ["glioma-idh", "--print-completion", shell])
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                main()
            (folder / shell).write_text(printed.getvalue())
    return folder


@pytest.fixture(params=PROGRAMS)
def complete(request, scripts):
    """A function that gives what the shell offers for the last of some words."""
    program, template = PROGRAMS[request.param]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")

    def run(*words):
        quoted = " ".join(f"'{word}'" for word in ("glioma-idh", *words))
        text = template.replace("TYPED", quoted).replace("SCRIPT", str(scripts / request.param))
        done = subprocess.run([*program, text], capture_output=True, text=True)
        assert done.stderr == ""
        return {line.split(":")[0] for line in done.stdout.splitlines()}

    return run


def test_commands_are_completed(complete):
    assert complete("") >= {name.split()[0] for name in COMMANDS}
    assert "report" in complete("re") and "prepare" not in complete("re")
    assert complete("train", "") >= {"gbm2d", "sgp3d"}
    assert complete("cohorts", "") >= {"check", "overlap", "table"}


def test_options_and_their_values_are_completed(complete):
    assert complete("train", "gbm2d", "--seq") >= {"--sequence"}
    assert complete("train", "sgp3d", "--cohort", "x", "--dt") >= {"--dtype"}
    assert complete("train", "sgp3d", "--network", "") >= {"unet3d", "densenet3d"}
    assert complete("predict", "run", "--fl") >= {"--flair", "--flips"}


def test_bash_completes_file_names_where_nothing_else_fits(scripts):
    text = BASH.replace("TYPED", "glioma-idh report").replace("SCRIPT", str(scripts / "bash"))
    done = subprocess.run(["bash", "--norc", "-c", text], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "complete -o default -F _tyro_glioma_idh glioma-idh"


def test_fish_has_its_script_too(scripts):
    assert "complete --no-files --command 'glioma-idh'" in (scripts / "fish").read_text()
