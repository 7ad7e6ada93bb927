"""The commands, as people type them; in this process, as starting another takes seconds."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts.__main__ import main
from glioma_idh.cohorts.folders import Ignored
from glioma_idh.cohorts.table import read_table
from glioma_idh.cohorts.tcga import MutationRule
from glioma_idh.reporting.figures import contact_sheet
from tests.conftest import write_cohort


def run(*arguments, status=0):
    """What a command prints; it must end with the status."""
    out, err, found = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["glioma_idh.cohorts", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:  # as Python itself ends: a text goes to stderr, with status 1
            found = end.code if isinstance(end.code, int) else 1
            print("" if isinstance(end.code, int) else end.code, file=err)
    assert found == status, err.getvalue()
    return SimpleNamespace(stdout=out.getvalue(), stderr=err.getvalue())


def test_check_writes_what_it_promises(tmp_path):
    cohort = write_cohort(tmp_path, num_subjects=5, num_mutant=2)
    scan = tmp_path / "scans/s04/t2.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.full((20, 20, 8), np.nan), np.diag([2.0, 2, 3, 1])), scan)
    printed = run("check", "--cohort", cohort, "--out", tmp_path / "out", "--quiet", "--jobs", "1").stdout
    assert "cohort: 5 subjects of 5 patients, 5 with images" in printed
    counts = next(line.split() for line in printed.splitlines() if line.startswith("T2 "))
    assert counts == ["T2", "5", "2", "3", "0", "1"]
    assert "s04 T2: " in printed
    checked = pd.read_csv(tmp_path / "out/cohort_check.csv", dtype=str, keep_default_na=False)
    assert len(checked) == 10
    assert (checked["problem"] != "").sum() == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "cohort.csv",
        "cohort_check.csv",
        "ignored.csv",
        "contact_sheet.png",
        "contact_sheet.svg",
        "run.json",
    }
    again = run(
        "check", "--cohort", tmp_path / "out/cohort.csv", "--out", tmp_path / "again", "--quiet", "--jobs", "1"
    ).stdout
    assert again.replace("again", "out") == printed  # the table it wrote is a cohort like any other


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    """What `check` asks `cohorts.read` for; a cohort of one subject without images comes back."""
    asked = {}
    cohort = tmp_path / "one.csv"
    cohort.write_text("subject,idh\nx,1\n")

    def read(name, images, labels, **options):
        asked.update(name=name, images=images, labels=labels, **options)
        return read_table(cohort), [Ignored("a.nii", "not used: a"), Ignored("b", "a follow-up visit")]

    monkeypatch.setattr("glioma_idh.cohorts.read", read)
    monkeypatch.chdir(tmp_path)
    return asked


def test_check_hands_on_what_it_is_told_and_writes_what_was_left_aside(recorded, tmp_path):
    arguments = ["--cohort", "egd", "--images", "there", "--labels", "mine.csv", "--all-visits"]
    printed = run("check", *arguments, "--jobs", "1", "--quiet", status=3).stdout
    assert recorded == {
        "name": "egd",
        "images": Path("there"),
        "labels": Path("mine.csv"),
        "sequences": ("t1", "t1gd", "t2", "flair", "rcbv", "adc"),
        "all_visits": True,
        "quiet": True,
    }
    assert (tmp_path / "cohort_check/egd/ignored.csv").read_text() == (
        "what,reason\na.nii,not used: a\nb,a follow-up visit\n"
    )
    assert pd.read_csv(tmp_path / "cohort_check/egd/cohort.csv")["subject"].tolist() == ["x"]
    assert "Ignored: 2 files or visits" in printed and "no image: 1 x" in printed


def test_check_takes_first_visits_unless_told_otherwise(recorded):
    run("check", "--cohort", "egd", "--out", "out", "--jobs", "1", "--quiet", status=3)  # there is no image
    assert recorded["all_visits"] is False and recorded["images"] is recorded["labels"] is None


@pytest.mark.parametrize(("cohort", "synthetic"), [("phantom", True), ("mine", False)])
def test_the_contact_sheet_of_the_phantom_alone_is_marked_synthetic(tmp_path, monkeypatch, cohort, synthetic):
    drawn = {}
    made = write_cohort(tmp_path, num_subjects=2, num_mutant=1)
    table = pd.read_csv(made, dtype=str).assign(cohort=cohort)
    empty = pd.DataFrame([{"subject": "nobody", "patient": "nobody", "idh": "0", "cohort": cohort}])
    pd.concat([table, empty]).to_csv(made, index=False)
    monkeypatch.setattr(contact_sheet, "contact_sheet", lambda tiles, **to: drawn.update(to, tiles=tiles))
    monkeypatch.setattr("glioma_idh.reporting.figures.canvas.save_figure", lambda figure, folder, name: None)
    run("check", "--cohort", made, "--out", tmp_path / "out", "--jobs", "1", "--quiet")
    assert (drawn["cohort"], drawn["synthetic"]) == (cohort, synthetic)
    assert [tile.subject for tile in drawn["tiles"]] == ["s00", "s01"]  # who has no image has no tile


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ([], MutationRule(2, ("IDH1", "IDH2"), False)),
        (["--min-callers", "3"], MutationRule(3)),
        (["--genes", "IDH2"], MutationRule(genes=("IDH2",))),
        (["--hotspot-only"], MutationRule(hotspot_only=True)),
    ],
)
@pytest.mark.parametrize("command", ["tcga-idh", "brats2020-tcga"])
def test_the_rule_is_handed_on(tmp_path, monkeypatch, command, arguments, rule):
    asked = []
    status = pd.DataFrame({"patient": ["TCGA-HT-A61A"], "idh": ["1"], "idh_evidence": ["why"]}).set_index("patient")

    def variants(mafs, rule, quiet):
        asked.append((list(mafs), rule, quiet))
        return status, pd.DataFrame(), ["a note"]

    monkeypatch.setattr("glioma_idh.cohorts.bakas.idh_from_variants", variants)
    mapping = "Grade,TCGA_TCIA_subject_ID,BraTS_2020_subject_ID\nLGG,TCGA-HT-A61A,BraTS20_Training_335\n"
    (tmp_path / "map.csv").write_text(mapping + "HGG,NA,BraTS20_Training_001\n")
    own = ["--name-mapping", tmp_path / "map.csv"] if command == "brats2020-tcga" else []
    done = run(command, *own, "--maf", "a.maf", "b.maf", "--out", tmp_path / "o.csv", "--quiet", *arguments)
    assert asked == [(["a.maf", "b.maf"], rule, True)]
    assert done.stdout.endswith("o.csv: 1 subjects, 1 mutant, 0 wild-type\n") and "a note" in done.stdout
    made = pd.read_csv(tmp_path / "o.csv", dtype=str)
    assert made["patient"].tolist() == ["TCGA-HT-A61A"] and not (tmp_path / "o_disagreements.csv").exists()
    assert set(made["cohort"]) == {"tcga" if command == "tcga-idh" else "brats2020-tcga"}


def test_the_counts_that_are_printed(tmp_path):
    sheet = "ID,Sex,Age at MRI,WHO CNS Grade,IDH\n"
    for number, idh in enumerate(["IDH1 R132H", "wildtype", "wildtype", "NA", "NA", "NA"], 1):
        sheet += f"UCSF-PDGM-{number:04},F,50,{1 + number % 4},{idh}\n"
    (tmp_path / "a.csv").write_text(sheet)
    done = run("ucsf-pdgm", "--metadata", tmp_path / "a.csv", "--out", tmp_path / "o.csv")
    assert done.stdout == f"{tmp_path}/o.csv: 6 subjects, 1 mutant, 2 wild-type, 3 unknown\n"
    made = pd.read_csv(tmp_path / "o.csv", dtype=str, keep_default_na=False)
    assert made[["idh", "grade", "age_years", "idh_evidence"]].to_numpy().tolist()[:2] == [
        ["1", "2", "50", "IDH1 R132H"],
        ["0", "3", "50", "IDH wildtype"],
    ]


def test_one_pair_is_enough_for_the_status_of_overlap(tmp_path):
    (tmp_path / "a.csv").write_text("subject,idh\nTCGA-06-0221,1\nBraTS2021_99999,1\n")
    (tmp_path / "b.csv").write_text("subject,patient,idh\nx,tcga-06-0221,0\n")
    (tmp_path / "c.csv").write_text("subject,idh\ny,0\n")
    done = run("overlap", tmp_path / "a.csv", tmp_path / "b.csv", "--no-images", status=1)
    assert done.stdout.splitlines()[1:] == ["TCGA-06-0221,x,TCGA-06-0221,same patient"]
    assert "1 patients are in both cohorts" in done.stderr and "1 subjects have only a BraTS id" in done.stderr
    assert (
        "0 patients are in both cohorts" in run("overlap", tmp_path / "b.csv", tmp_path / "c.csv", "--no-images").stderr
    )


def test_a_patient_of_several_visits_is_one_in_both(tmp_path):
    (tmp_path / "a.csv").write_text("subject,patient,idh\nx1,p,1\nx2,p,1\nz,q,0\n")
    (tmp_path / "b.csv").write_text("subject,patient,idh\ny1,p,1\ny2,p,1\n")
    done = run("overlap", tmp_path / "a.csv", tmp_path / "b.csv", "--no-images", status=1)
    assert len(done.stdout.splitlines()) == 1 + 4 and done.stderr.strip() == "1 patients are in both cohorts."


def test_overlap_lists_pairs_and_says_so_in_its_status(tmp_path):
    a = write_cohort(tmp_path / "a", num_subjects=3, num_mutant=1)
    b = write_cohort(tmp_path / "b", num_subjects=3, num_mutant=1, prefix="r")
    c = write_cohort(tmp_path / "c", num_subjects=3, num_mutant=1, prefix="q", seed=1)
    done = run("overlap", a, b, "--quiet", "--jobs", "1", status=1)
    assert (
        done.stdout.splitlines()[1] == "s00,r00,s00,same image: t2" and "3 patients are in both cohorts" in done.stderr
    )
    assert run("overlap", a, c, "--quiet", "--jobs", "1").stdout == "subject_a,subject_b,patient,why\n"
    assert run("overlap", a, b, "--no-images", "--quiet", "--jobs", "1").stdout == "subject_a,subject_b,patient,why\n"


def test_overlap_of_images_that_cannot_be_read_is_no_clean_result(tmp_path):
    a = write_cohort(tmp_path / "a", num_subjects=3, num_mutant=1)
    b = write_cohort(tmp_path / "b", num_subjects=3, num_mutant=1, prefix="r")
    clean = write_cohort(tmp_path / "c", num_subjects=3, num_mutant=1, prefix="q", seed=1)
    done = run("overlap", a, clean, "--quiet", "--jobs", "1")
    assert done.stderr.splitlines() == [
        "Images compared: 3 of the first cohort, 3 of the second.",
        "0 patients are in both cohorts.",
    ]
    for file in (tmp_path / "b").rglob("t2.nii.gz"):
        file.write_bytes(b"no image")
    done = run("overlap", clean, b, "--quiet", "--jobs", "1", status=3)
    lines = done.stderr.splitlines()
    assert lines[0] == "Images compared: 3 of the first cohort, 0 of the second."
    assert lines[1] == "3 images could not be compared:"
    assert lines[2].startswith(f"  r00: {tmp_path}/b/") and "expected a readable NIfTI file; found" in lines[2]
    assert lines[5] == "0 patients are in both cohorts, among those that could be compared."
    assert run("overlap", clean, b, "--no-images").stderr == "0 patients are in both cohorts.\n"
    (next((tmp_path / "a").rglob("s00/t2.nii.gz"))).unlink()
    (tmp_path / "b.csv").write_text("subject,idh\ns00,1\n")
    assert "1 images could not be" in run("overlap", a, tmp_path / "b.csv", "--jobs", "1", status=1).stderr


def test_check_of_images_none_of_which_can_be_read_is_no_clean_result(tmp_path):
    cohort = write_cohort(tmp_path, num_subjects=3, num_mutant=1)
    files = sorted((tmp_path / "scans").rglob("*.nii.gz"))
    for file in files[1:]:
        file.write_bytes(b"no image")
    arguments = "check", "--cohort", cohort, "--out", tmp_path / "out", "--quiet", "--jobs", "1"
    assert "could be read" not in run(*arguments, status=1).stderr  # one can; the others are listed
    files[0].write_bytes(b"no image")
    done = run(*arguments, status=3)
    assert done.stderr.splitlines()[0] == "None of the 6 images could be read."
    assert (tmp_path / "out/contact_sheet.png").exists()
    assert "images with a problem (all in cohort_check.csv): 6" in done.stdout and "(estimated)" not in done.stdout


def test_check_of_images_none_of_which_is_there_names_the_first_and_the_flag(tmp_path):
    cohort = write_cohort(tmp_path / "here", num_subjects=2, num_mutant=1)
    pd.read_csv(cohort, dtype=str).assign(t2="s/a.nii", lesion_mask=["", "s/b.nii"]).to_csv(cohort, index=False)
    done = run("check", "--cohort", cohort, "--out", tmp_path / "out", "--quiet", "--jobs", "1", status=3)
    told = f"None of the 3 images exists; the first path is {tmp_path}/here/s/a.nii. Relative paths start in the"
    assert done.stderr.strip() == f"{told} folder of the table; choose another folder with --images DIR."
    (tmp_path / "there/s").mkdir(parents=True)
    (tmp_path / "there/s/b.nii").write_text("no image")
    arguments = "check", "--cohort", cohort, "--images", tmp_path / "there", "--out", tmp_path / "out"
    assert run(*arguments, "--quiet", "--jobs", "1", status=3).stderr.strip() == "None of the 3 images could be read."


def test_check_of_a_cohort_without_images_is_no_clean_result(tmp_path):
    (tmp_path / "a.csv").write_text("ID;IDH status;Age\n001;1;44,5\n002;0;50\n")
    done = run("check", "--cohort", tmp_path / "a.csv", "--out", tmp_path / "out", "--quiet", status=3)
    assert done.stderr.startswith("No image was checked: the columns t1, t1gd, ")
    assert "no image: 2 001, 002" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "cohort.csv",
        "cohort_check.csv",
        "ignored.csv",
        "run.json",
    }
    assert pd.read_csv(tmp_path / "out/cohort.csv")["age_years"].tolist() == [44.5, 50]
    (tmp_path / "a.csv").write_text("ID;IDH status;Sex\n001;1;x\n")
    done = run("check", "--cohort", tmp_path / "a.csv", "--out", tmp_path / "out", status=1)
    assert "found 'x' in row 2, column Sex." in done.stderr


BOTH = "slice CNN, SGPNet"


def test_check_of_a_cohort_that_nobody_can_be_trained_on_is_no_success(tmp_path):
    cohort = write_cohort(tmp_path, num_subjects=2, num_mutant=1)
    arguments = "check", "--cohort", cohort, "--out", tmp_path / "out", "--quiet", "--jobs", "1"
    table = pd.read_csv(cohort, dtype=str)
    for idh, told in (
        ("positive", "First error: s00: "),
        ("", "is unknown in all 2 subjects. Give a sheet with labels"),
    ):
        table.assign(idh=idh).to_csv(cohort, index=False)
        assert told in run(*arguments, status=1).stderr
    for mask in table["lesion_mask"]:
        nibabel.save(nibabel.Nifti1Image(np.ones((20, 20, 8)), np.diag([2.0, 2, 3, 1])), mask)
    table.to_csv(cohort, index=False)
    done = run(*arguments, status=1)
    assert done.stderr.startswith(
        "No subject can be used for training: no labelled subject has both a usable scan and a usable lesion mask"
    )
    assert "found a mask of 100 % of the brain" in done.stdout and "SGPNet: 0 IDH-mutant" in done.stdout
    checked = pd.read_csv(tmp_path / "out/cohort_check.csv").set_index(["subject", "image"])["refused"].fillna("")
    assert checked.to_dict() == {
        (s, image): BOTH if image != "t2" else "" for s in ("s00", "s01") for image in ("t2", "lesion_mask")
    }


def test_overlap_says_which_tables_it_needs(tmp_path):
    (tmp_path / "predictions.csv").write_text("subject,truth,score\na,1,0.5\n")
    done = run("overlap", tmp_path / "predictions.csv", tmp_path / "predictions.csv", status=1)
    assert "overlap needs cohort tables, such as the cohort.csv in the folder of a run." in done.stderr


def test_table_1_in_four_formats(tmp_path):
    (tmp_path / "a.csv").write_text("subject,idh,age_years,sex\na,1,30,F\nb,1,40,M\nc,0,60,M\nd,0,50,\ne,,,\n")
    for ending in ("csv", "md", "tex", "html"):
        done = run("table", tmp_path / "a.csv", "--out", tmp_path / f"table.{ending}")
        for text in (done.stdout, (tmp_path / f"table.{ending}").read_text()):
            assert "45.0 (12.9)" in text and "not known" in text and "nan" not in text.lower()
    done = run("table", tmp_path / "a.csv", "--out", tmp_path / "table.docx", status=1)
    assert "expected --out ending in .csv, .md, .tex or .html; found table.docx" in done.stderr


HEADER = "Hugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\tTumor_Seq_Allele2\t"
HEADER += "Tumor_Sample_Barcode\tHGVSp_Short\n"
R132H = "IDH1\tchr2\t208248388\tMissense_Mutation\tC\tT\tTCGA-02-0006-01A-01D\tp.R132H\n"


def test_tcga_idh_writes_a_manifest_and_where_callers_disagree(tmp_path):
    for caller in ("muse", "mutect2", "varscan2"):
        other = "TP53\tchr17\t1\tSilent\tC\tT\tTCGA-02-0009-01A-01D\tp.P1P\n"
        (tmp_path / f"{caller}.maf").write_text(HEADER + (R132H if caller != "varscan2" else "") + other)
    files = [f"{caller}={tmp_path}/{caller}.maf" for caller in ("muse", "mutect2", "varscan2")]
    printed = run("tcga-idh", "--maf", *files, "--out", tmp_path / "idh.csv", "--quiet").stdout
    assert "2 subjects, 1 mutant, 1 wild-type" in printed and "disagree about 1 variant" in printed
    made = pd.read_csv(tmp_path / "idh.csv", dtype=str).set_index("patient")
    assert made["idh"].to_dict() == {"TCGA-02-0006": "1", "TCGA-02-0009": "0"}
    assert made.loc["TCGA-02-0006", "idh_evidence"] == "IDH1 p.R132H (2 callers)"
    disagreements = pd.read_csv(tmp_path / "idh_disagreements.csv")
    assert disagreements["patient"].tolist() == ["TCGA-02-0006"]


CLINICAL = """bcr_patient_barcode,type,age_at_initial_pathologic_diagnosis,gender,histological_type,histological_grade
TCGA-02-0006,LGG,33,FEMALE,Astrocytoma,G3
TCGA-02-0009,GBM,61,MALE,Treated primary GBM,[Not Available]
"""
WHO = """subject,codeletion_1p19q,who2021
TCGA-02-0006,non-codel,"Glioblastoma, IDH-wildtype. Grade 4."
TCGA-XX-0001,codel,"Oligodendroglioma, IDH-mutant"
"""


@pytest.mark.parametrize("command", ["tcga-idh", "brats2020-tcga"])
def test_both_clinical_tables_reach_the_manifest(tmp_path, command):
    """The class of the one mutant is IDH-wildtype: it stays a mutant, and the disagreement is said and written."""
    mapping = "Grade,TCGA_TCIA_subject_ID,BraTS_2020_subject_ID\nLGG,TCGA-02-0006,BraTS20_Training_001\n"
    rows = R132H + "TP53\tchr17\t1\tSilent\tC\tT\tTCGA-02-0009-01A-01D\tp.P1P\n"
    for name, text in {"map.csv": mapping, "mc3.maf": HEADER + rows, "cdr.csv": CLINICAL, "who.csv": WHO}.items():
        (tmp_path / name).write_text(text)
    own = ["--name-mapping", tmp_path / "map.csv"] if command == "brats2020-tcga" else []
    tables = ["--clinical", tmp_path / "cdr.csv", "--who2021", tmp_path / "who.csv"]
    printed = run(command, *own, "--maf", tmp_path / "mc3.maf", *tables, "--out", tmp_path / "o.csv", "--quiet").stdout
    made = pd.read_csv(tmp_path / "o.csv", dtype=str, keep_default_na=False).set_index("patient").loc["TCGA-02-0006"]
    columns = ["idh", "age_years", "sex", "grade", "histology", "codeletion_1p19q", "who2021"]
    cell = "Glioblastoma, IDH-wildtype. Grade 4."
    assert made[columns].tolist() == ["1", "33", "F", "3", "astrocytoma", "intact", cell]
    assert "who.csv: 1 patients are in no variant table and are left out: TCGA-XX-0001." in printed
    path = tmp_path / "o_who2021_disagreements.csv"
    assert f"WHO 2021 classes that contradict the IDH status: 1 (TCGA-02-0006); see {path}" in printed
    assert pd.read_csv(path)["who2021"].tolist() == [cell]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["check", "--cohort", "upenn"], "found 'upenn'. Check the spelling."),
        (["check", "--cohort", "egd"], "expected --images DIR"),
        (["tcga-idh", "--maf", "mutext=x.maf", "--out", "y.csv"], "before the =; found 'mutext'"),
        (["overlap", "nowhere.csv", "nowhere.csv"], "nowhere.csv: expected a sheet in CSV"),
    ],
)
def test_the_command_line_ends_with_one_clear_line(arguments, match):
    assert match in run(*arguments, status=1).stderr


@pytest.mark.integration
def test_a_process_of_its_own_ends_with_one_clear_line_too():
    command = [sys.executable, "-m", "glioma_idh.cohorts", "overlap", "nowhere.csv", "nowhere.csv"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("Error: nowhere.csv: expected a sheet in CSV")
    assert "Traceback" not in done.stderr and done.stdout == ""


@pytest.mark.integration
def test_help_loads_no_network(tmp_path):
    program = (
        "import sys; sys.argv = ['cohorts', 'check', '--help']\n"
        "try:\n    from glioma_idh.cohorts.__main__ import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'nibabel', 'matplotlib', 'sklearn', 'tableone'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--labels" in done.stdout


@pytest.mark.integration
def test_the_real_patients(real_data, tmp_path, monkeypatch):
    """Four of the tiles are drawn: that of 121 takes longest, and tests/reporting draws many."""
    drawn, draw = [], contact_sheet.contact_sheet

    def of_four(tiles, **options):
        drawn.extend(tile.subject for tile in tiles)
        return draw(tiles[:4], **options)

    monkeypatch.setattr(contact_sheet, "contact_sheet", of_four)
    arguments = [
        "--cohort",
        "brats2020-tcga",
        "--images",
        real_data / "brats20_mini",
        "--out",
        tmp_path,
        "--quiet",
        "--jobs",
        "1",
    ]
    printed = run("check", *arguments).stdout
    assert "brats2020-tcga: 167 subjects of 167 patients, 121 with images" in printed
    counts = [line.split()[-5:] for line in printed.splitlines() if line.startswith(("T1 ", "FLAIR", "lesion mask"))]
    assert counts == [["121", "56", "65", "0", "0"]] * 3
    assert len(pd.read_csv(tmp_path / "cohort_check.csv")) == 605 and len(set(drawn)) == 121
