"""Nothing is made twice of the same inputs, and nothing is left of other ones."""

import json

import pytest

from glioma_idh.errors import InputError
from glioma_idh.preparation.stages import Stages, fingerprint, read_record


class Work:
    """Writes a file and counts how often it was called."""

    def __init__(self, path, text="made"):
        self.path, self.text, self.calls = path, text, 0

    def __call__(self):
        self.calls += 1
        self.path.write_text(self.text)
        return {"length": len(self.text)}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_text("scan")
    return path


def test_made_once_and_taken_again(tmp_path, source):
    work = Work(tmp_path / "image")
    for _ in range(2):
        assert Stages(tmp_path).make("image t2", work, {"scan": source, "bias": True}, [work.path]) == {"length": 4}
    assert work.calls == 1


@pytest.mark.parametrize("change", ["content", "setting", "output gone", "output changed", "redo", "redo earlier"])
def test_made_again_when_something_changed(tmp_path, source, change):
    work, inputs = Work(tmp_path / "image"), {"scan": source, "bias": True}
    Stages(tmp_path).make("image t2", work, inputs, [work.path])
    redo_from = {"redo": "image", "redo earlier": "registration"}.get(change, "")
    if change == "content":
        source.write_text("another scan")
    elif change == "setting":
        inputs["bias"] = False
    elif change == "output gone":
        work.path.unlink()
    elif change == "output changed":
        work.path.write_text("touched by hand")
    Stages(tmp_path, redo_from).make("image t2", work, inputs, [work.path])
    assert work.calls == 2


def test_an_earlier_stage_is_not_gone_through_again(tmp_path, source):
    work = Work(tmp_path / "transform")
    for redo_from in ("", "image"):
        Stages(tmp_path, redo_from).make("registration t2", work, {"scan": source}, [work.path])
    assert work.calls == 1


def test_a_killed_run_keeps_what_was_done(tmp_path, source):
    first, second = Work(tmp_path / "first"), Work(tmp_path / "second")
    stages = Stages(tmp_path)
    stages.make("image t1", first, {"scan": source}, [first.path])
    with pytest.raises(KeyboardInterrupt):
        stages.make("image t2", lambda: (_ for _ in ()).throw(KeyboardInterrupt), {"scan": source}, [second.path])
    again = Stages(tmp_path)
    again.make("image t1", first, {"scan": source}, [first.path])
    assert first.calls == 1 and set(read_record(tmp_path)["stages"]) == {"image t1"}


def test_what_is_not_made_any_more_goes(tmp_path, source):
    kept, gone = Work(tmp_path / "kept"), Work(tmp_path / "gone")
    stages = Stages(tmp_path)
    stages.make("adc", gone, {}, [gone.path])
    stages.make("image t2", kept, {}, [kept.path])
    stages.finish()
    later = Stages(tmp_path)
    later.make("image t2", kept, {}, [kept.path])
    later.finish()
    assert kept.path.exists() and not gone.path.exists()
    assert set(read_record(tmp_path)["stages"]) == {"image t2"}


def test_what_a_stage_made_under_another_name_goes_even_if_the_run_fails_later(tmp_path, source):
    first, second = Work(tmp_path / "t2_to_t1gd"), Work(tmp_path / "t2_to_t1")
    Stages(tmp_path).make("registration t2", first, {"to": "t1gd"}, [first.path])
    Stages(tmp_path).make("registration t2", second, {"to": "t1"}, [second.path])
    assert second.path.exists() and not first.path.exists()


def test_a_stage_that_fails_leaves_nothing(tmp_path, source):
    def fail():
        (tmp_path / "lesion").write_text("half")
        raise InputError("a lesion", "none", "Look.")

    with pytest.raises(InputError):
        Stages(tmp_path).make("lesion", fail, {}, [tmp_path / "lesion"])
    assert not (tmp_path / "lesion").exists()


def test_a_record_that_an_earlier_version_wrote_is_gone_on_with(tmp_path, monkeypatch):
    """Keys that stand for the same inputs, what this run does not know, and the order in the file stay."""
    monkeypatch.setattr("glioma_idh.preparation.stages.METHOD", 2)
    made = {"key": "a0eeb2bed6ce640d", "seconds": 1.5, "found": {"how": "given"}, "outputs": {}}
    former = {"stages": {"image t2": made}, "remarks": ["odd"], "transforms": {"t2": [[1.0]]}, "of a later version": 3}
    (tmp_path / "prepare.json").write_text(json.dumps(former))
    stages = Stages(tmp_path)
    assert stages.make("image t2", lambda: pytest.fail("made again"), {"bias": True}) == {"how": "given"}
    stages.record.files = {}
    stages.finish()
    text = json.dumps(former | {"remarks": [], "files": {}}, indent=2)
    assert (tmp_path / "prepare.json").read_text() == f"{text}\n"


def test_a_record_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "prepare.json").write_text('{"stages": {')
    assert read_record(tmp_path) == {}


def test_fingerprint_is_of_content_not_of_names(tmp_path, source):
    copy = tmp_path / "copy"
    copy.write_text("scan")
    assert fingerprint({"file": source}) == fingerprint({"file": copy})
    copy.write_text("scam")
    assert fingerprint({"file": source}) != fingerprint({"file": copy})


def test_transforms_of_version_0_1_are_read_and_written_under_their_present_name(tmp_path):
    (tmp_path / "prepare.json").write_text('{"stages": {}, "ways": {"t2": [[1.0]]}}')
    assert read_record(tmp_path) == {"stages": {}, "transforms": {"t2": [[1.0]]}}
    Stages(tmp_path).save()
    assert json.loads((tmp_path / "prepare.json").read_text())["transforms"] == {"t2": [[1.0]]}


def test_head_motion_of_version_0_1_is_reused_under_its_present_name(tmp_path, monkeypatch):
    """Its stage was called `movement`, in the record and in the key of its inputs."""
    monkeypatch.setattr("glioma_idh.preparation.stages.METHOD", 2)
    made = {"key": fingerprint([2, "movement dwi", {"series": 1}]), "seconds": 1.5, "found": {"a": 1}, "outputs": {}}
    (tmp_path / "prepare.json").write_text(json.dumps({"stages": {"movement dwi": made}}))
    stages = Stages(tmp_path)
    assert stages.make("head-motion dwi", lambda: pytest.fail("computed again"), {"series": 1}) == {"a": 1}
    stages.finish()
    assert read_record(tmp_path)["stages"] == {"head-motion dwi": made}
