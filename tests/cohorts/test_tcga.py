"""IDH status from variant calls: every kind of MAF, with labels worked out by hand."""

import gzip
import itertools
import sys

import pandas as pd
import pytest

from glioma_idh.cohorts.maf import CALLERS
from glioma_idh.cohorts.manifests import manifests_folder
from glioma_idh.cohorts.tcga import DISAGREEMENT_COLUMNS, PAPER_RULE, MutationRule, idh_from_variants, tcga_manifest
from glioma_idh.errors import InputError

COLUMNS = (  # the order of GDC's columns, less those that nobody asks for
    "Hugo_Symbol Entrez_Gene_Id Center NCBI_Build Chromosome Start_Position End_Position Strand Variant_Classification "
    "Variant_Type Reference_Allele Tumor_Seq_Allele1 Tumor_Seq_Allele2 dbSNP_RS dbSNP_Val_Status Tumor_Sample_Barcode "
    "Matched_Norm_Sample_Barcode HGVSc HGVSp HGVSp_Short all_effects case_id GDC_FILTER"
)
GDC = COLUMNS.split()
MC3 = [column for column in GDC if column not in ("case_id", "GDC_FILTER")]
R132H = {"Hugo_Symbol": "IDH1", "Chromosome": "chr2", "Start_Position": "208248388", "HGVSp_Short": "p.R132H"}
R132C = R132H | {"Start_Position": "208248389", "HGVSp_Short": "p.R132C"}
R172K = {"Hugo_Symbol": "IDH2", "Chromosome": "chr15", "Start_Position": "90088606", "HGVSp_Short": "p.R172K"}
TP53 = {"Hugo_Symbol": "TP53", "Chromosome": "chr17", "Start_Position": "7675088", "HGVSp_Short": "p.R175H"}
USUAL = {"Variant_Classification": "Missense_Mutation", "Reference_Allele": "C", "Tumor_Seq_Allele2": "T"}
ONE, TWO, THREE = "TCGA-AA-0001", "TCGA-BB-0002", "TCGA-CC-A003"


def call(variant: dict, patient: str, **cells) -> dict:
    return USUAL | variant | {"Tumor_Sample_Barcode": f"{patient}-01A-11D-1490-08"} | cells


def maf_text(rows: list[dict], columns: list[str] = GDC) -> str:
    lines = ["\t".join(row.get(column, "") for column in columns) for row in rows]
    return "\n".join(["\t".join(columns), *lines]) + "\n"


@pytest.fixture
def write(tmp_path):
    """A function that writes rows as a MAF, named after a caller if one is given; returns its path."""

    def write_maf(name: str, rows: list[dict], columns: list[str] = GDC, comment: str = "", packed: bool = False):
        path = tmp_path / (f"TCGA.GBM.{name}.uuid.DR-10.0.somatic.maf" if "." not in name else name)
        text = (comment + maf_text(rows, columns)).encode()
        path.write_bytes(gzip.compress(text) if packed else text)
        return path

    return write_maf


def statuses(maf_files, **rule) -> dict:
    return idh_from_variants(maf_files, MutationRule(**rule))[0]["idh"].to_dict()


def test_two_of_three_callers_make_a_mutant_one_does_not(write):
    muse = write("muse", [call(R132H, ONE), call(R172K, TWO), call(TP53, THREE)], comment="#version gdc-1.0.0\n")
    mutect = write("mutect", [call(R132H, ONE), call(TP53, TWO)], packed=True)
    varscan = write("varscan", [call(TP53, ONE), call(TP53, THREE)])
    status, disagreements, notes = idh_from_variants([muse, mutect, varscan])
    assert status.index.name == "patient" and list(status.columns) == ["idh", "idh_evidence"]
    assert status["idh"].to_dict() == {ONE: "1", TWO: "0", THREE: "0"}
    assert status["idh_evidence"].to_list() == [
        "IDH1 p.R132H (2 callers)",
        "sequenced, no IDH variant; IDH2 p.R172K seen by 1 caller (muse), 2 needed",
        "sequenced, no IDH variant",
    ]
    assert disagreements.to_numpy().tolist() == [
        [ONE, "IDH1 p.R132H", "muse, mutect2", "varscan2", "mutant"],
        [TWO, "IDH2 p.R172K", "muse", "mutect2, varscan2", "wild-type"],
    ]
    assert notes[0] == f"{muse}: variants of muse; 3 rows of 3 patients." and len(notes) == 3


def test_a_patient_whom_too_few_callers_see_is_wild_type_and_the_evidence_says_so(write):
    """The first has a variant, by the one caller that sees the patient; the third is in no file of the four callers."""
    four = "TCGA-DD-0004"
    muse = write("muse", [call(R132H, ONE), call(TP53, TWO), call(TP53, four)])
    mutect, pindel = write("mutect", [call(TP53, four)]), write("pindel", [call(TP53, TWO), call(TP53, THREE)])
    status, _, notes = idh_from_variants([muse, mutect, pindel])
    assert status["idh"].to_dict() == {ONE: "0", TWO: "0", THREE: "0", four: "0"}
    assert status["idh_evidence"].to_list() == [
        "sequenced, no IDH variant; patient seen by 1 caller (muse), 2 needed; "
        "IDH1 p.R132H seen by 1 caller (muse), 2 needed",
        "sequenced, no IDH variant; patient seen by 1 caller (muse), 2 needed",
        "sequenced, no IDH variant; patient seen by none of the four callers (pindel), 2 needed",
        "sequenced, no IDH variant",
    ]
    assert notes[-1].startswith("3 of 4 patients are in files of fewer than 2 callers")


def test_where_every_caller_agrees_there_is_no_disagreement(write):
    names = ("muse", "mutect2", "somaticsniper", "varscan2")
    status, disagreements, _ = idh_from_variants([write(name, [call(R132H, ONE)]) for name in names])
    assert status.loc[ONE, "idh_evidence"] == "IDH1 p.R132H (4 callers)"
    assert disagreements.empty and list(disagreements.columns) == DISAGREEMENT_COLUMNS


def test_several_variants_are_joined_in_the_evidence(write):
    rows = [call(R172K, ONE), call(R132H, ONE)]
    status, _, _ = idh_from_variants([write("muse", rows), write("varscan", rows)])
    assert status.loc[ONE, "idh_evidence"] == "IDH1 p.R132H (2 callers); IDH2 p.R172K (2 callers)"


@pytest.mark.parametrize(
    "other",
    [{"Tumor_Seq_Allele2": "G"}, {"Reference_Allele": "CA"}, {"Start_Position": "208248387"}, {"Chromosome": "chr3"}],
)
def test_callers_must_report_the_same_position_and_alleles(write, other):
    muse, mutect = write("muse", [call(R132H, ONE)]), write("mutect", [call(R132H, ONE, **other)])
    status, disagreements, _ = idh_from_variants([muse, mutect])
    assert status.loc[ONE, "idh"] == "0" and len(disagreements) == 2


def test_chromosomes_match_with_and_without_prefix(write):
    muse, mutect = write("muse", [call(R132H, ONE)]), write("mutect", [call(R132H, ONE, Chromosome="2")])
    assert statuses([muse, mutect]) == {ONE: "1"}


def test_a_patient_with_two_tumours_is_one_patient(write):
    recurrence = call(R132H, ONE, Tumor_Sample_Barcode=f"{ONE}-02A-11D-1490-08")
    muse, mutect = write("muse", [call(R132H, ONE), recurrence]), write("mutect", [recurrence])
    status, _, notes = idh_from_variants([muse, mutect])
    assert status["idh_evidence"].to_dict() == {ONE: "IDH1 p.R132H (2 callers)"}
    assert notes[0].endswith("2 rows of 1 patients.")


def test_the_same_caller_twice_is_one_caller(write):
    muse, again = write("muse", [call(R132H, ONE)]), write("a.muse.maf", [call(R132H, ONE)])
    assert statuses([muse, again, write("mutect", [call(TP53, ONE)])]) == {ONE: "0"}


@pytest.mark.parametrize(
    "effect",
    [
        *("Silent", "Intron", "3'UTR", "5'UTR", "3'Flank", "5'Flank", "Splice_Region", "IGR", "RNA", "lincRNA"),
        *("Targeted_Region", "De_novo_Start_InFrame", "De_novo_Start_OutOfFrame", "Unknown"),
    ],
)
def test_a_patient_with_silent_variants_only_is_wild_type(write, effect):
    rows = [call(R132H, ONE, Variant_Classification=effect)]
    status, disagreements, _ = idh_from_variants([write("muse", rows), write("mutect", rows)])
    assert status.loc[ONE].to_list() == ["0", "sequenced, no IDH variant"] and disagreements.empty


@pytest.mark.parametrize(
    "effect",
    [
        *("Missense_Mutation", "Nonsense_Mutation", "Nonstop_Mutation", "Splice_Site", "Translation_Start_Site"),
        *("Frame_Shift_Del", "Frame_Shift_Ins", "In_Frame_Del", "In_Frame_Ins"),
    ],
)
def test_other_non_silent_classes_count(write, effect):
    rows = [call(R132H, ONE, Variant_Classification=effect, HGVSp_Short="")]
    status, _, _ = idh_from_variants([write("muse", rows), write("mutect", rows)])
    assert status.loc[ONE].to_list() == ["1", "IDH1 2:208248388 C>T (2 callers)"]


def test_hotspots_only(write):
    near = call(R132H, TWO, HGVSp_Short="p.R13H")
    inside = call(R172K, THREE, HGVSp_Short="p.R1721H")
    rows = [call(R132C, ONE), near, inside]
    muse, mutect = write("muse", rows), write("mutect", rows)
    assert statuses([muse, mutect]) == {ONE: "1", TWO: "1", THREE: "1"}
    status, _, _ = idh_from_variants([muse, mutect], MutationRule(hotspot_only=True))
    assert status["idh"].to_dict() == {ONE: "1", TWO: "0", THREE: "0"}
    assert status.loc[TWO, "idh_evidence"] == "sequenced, no IDH hotspot variant"


@pytest.mark.parametrize(
    ("gene", "change", "idh"),
    [
        *(("IDH1", change, "1") for change in ("p.R132H", "p.R132C", "p.R132S", "p.R132G", "p.R132L", "R132H")),
        *(("IDH1", change, "0") for change in ("p.R100Q", "p.R140Q", "p.R172K", "p.R1320H", "p.G105S", "p.R314C")),
        *(("IDH2", change, "1") for change in ("p.R140Q", "p.R172K", "p.R172S", "R140W")),
        *(("IDH2", change, "0") for change in ("p.R132H", "p.R1401Q", "p.R88Q", "p.T352P")),
    ],
)
def test_hotspots_are_codon_132_of_idh1_and_140_and_172_of_idh2(write, gene, change, idh):
    rows = [call(R132H, ONE, Hugo_Symbol=gene, HGVSp_Short=change)]
    mafs = [write("muse", rows), write("mutect", rows)]
    assert statuses(mafs, hotspot_only=True) == {ONE: idh}
    assert statuses(mafs) == {ONE: "1"}  # the paper's rule takes every non-silent variant


def test_the_rule_of_the_paper_is_the_default():
    """Wang et al. 2021: IDH1 or IDH2, more than one of the four callers, any non-silent variant."""
    assert MutationRule() == PAPER_RULE == MutationRule(min_callers=2, genes=("IDH1", "IDH2"), hotspot_only=False)
    assert CALLERS == ("muse", "mutect2", "somaticsniper", "varscan2")


@pytest.mark.parametrize("pair", itertools.combinations(("muse", "mutect", "somaticsniper", "varscan"), 2))
def test_any_two_of_the_four_callers_are_enough_and_any_one_is_not(write, pair):
    first, second = (write(name, [call(R132H, ONE), call(TP53, TWO)]) for name in pair)
    alone = write(f"b.{pair[1]}.maf", [call(TP53, ONE), call(TP53, TWO)])
    assert statuses([first, second]) == {ONE: "1", TWO: "0"}
    assert statuses([first, alone]) == {ONE: "0", TWO: "0"}


def test_a_mutation_of_either_gene_makes_a_mutant(write):
    rows = [call(R132H, ONE), call(R172K, TWO), call(TP53, THREE)]
    assert statuses([write("muse", rows), write("varscan", rows)]) == {ONE: "1", TWO: "1", THREE: "0"}


def test_patients_whose_barcodes_begin_alike_are_told_apart(write):
    """The patient is the first 12 characters; the rest is sample, vial, portion and plate."""
    other = f"{ONE[:-1]}2"
    rows = [call(R132H, ONE), call(TP53, other)]
    again = [call(R132H, ONE, Tumor_Sample_Barcode=f"{ONE}-01B-21W-A029-08"), call(TP53, other)]
    assert statuses([write("muse", rows), write("mutect", again)]) == {ONE: "1", other: "0"}


def test_the_manifest_of_tcga_has_the_site_of_the_barcode_and_the_patient_s_status(write):
    rows = [call(R132H, "TCGA-06-0221"), call(TP53, "TCGA-HT-A61A")]
    made = tcga_manifest(idh_from_variants([write("muse", rows), write("mutect", rows)])[0])
    columns = ["subject", "patient", "cohort", "site", "idh", "idh_evidence"]
    assert made[columns].to_numpy().tolist() == [
        ["TCGA-06-0221", "TCGA-06-0221", "tcga", "06", "1", "IDH1 p.R132H (2 callers)"],
        ["TCGA-HT-A61A", "TCGA-HT-A61A", "tcga", "HT", "0", "sequenced, no IDH variant"],
    ]
    assert (made[["age_years", "sex", "grade", "histology", "codeletion_1p19q", "mgmt", "who2021"]] == "").all(
        axis=None
    )


def test_one_gene_of_the_two(write):
    rows = [call(R132H, ONE), call(R172K, TWO)]
    status, _, _ = idh_from_variants([write("muse", rows), write("mutect", rows)], MutationRule(genes=("IDH2",)))
    assert status["idh"].to_dict() == {ONE: "0", TWO: "1"}
    assert status.loc[ONE, "idh_evidence"] == "sequenced, no IDH2 variant"


def test_three_callers_wanted(write):
    mafs = [write(name, [call(R132H, ONE), call(R132H, TWO)]) for name in ("muse", "mutect")]
    mafs.append(write("somaticsniper", [call(R132H, ONE)]))
    status, _, _ = idh_from_variants(mafs, MutationRule(min_callers=3))
    assert status["idh_evidence"].to_list() == [
        "IDH1 p.R132H (3 callers)",
        "sequenced, no IDH variant; patient seen by 2 callers (muse, mutect2), 3 needed; "
        "IDH1 p.R132H seen by 2 callers (muse, mutect2), 3 needed",
    ]


def test_gdc_ensemble_names_the_callers_of_each_row(write):
    rows = [
        call(R132H, ONE, callers="muse;mutect2;varscan2"),
        call(R132H, TWO, callers="mutect2;pindel"),
        call(R132H, THREE, callers="muse*;mutect2"),
    ]
    path = write("uuid.wxs.aliquot_ensemble_masked.maf.gz", rows, [*GDC, "callers"], "#version gdc-1.0.0\n#n 1\n", True)
    status, disagreements, notes = idh_from_variants([path])
    assert status["idh"].to_dict() == {ONE: "1", TWO: "0", THREE: "0"}
    evidence = "sequenced, no IDH variant; IDH1 p.R132H seen by 1 caller (mutect2), 2 needed"
    assert status.loc[TWO, "idh_evidence"] == evidence
    assert disagreements["reported_by"].to_list() == ["muse, mutect2, varscan2", "mutect2, pindel", "mutect2"]
    assert disagreements["not_reported_by"].to_list() == [
        "somaticsniper",
        "muse, somaticsniper, varscan2",
        "muse, somaticsniper, varscan2",
    ]
    assert any("asterisk" in note for note in notes)


def test_mc3_centers_are_families_of_callers(write):
    rows = [
        call(R132H, ONE, CENTERS="MUTECT|RADIA|SOMATICSNIPER|MUSE|VARSCANS"),
        call(R132H, TWO, CENTERS="RADIA|MUTECT"),
        call(R132H, THREE, CENTERS="INDELOCATOR*|VARSCANI|VARSCANS|PINDEL"),
        call(R132H, "TCGA-DD-0004", CENTERS="RADIA|PINDEL"),
        call(TP53, "TCGA-EE-0005", CENTERS="MUSE|MUTECT"),
    ]
    status, _, notes = idh_from_variants([write("mc3.v0.2.8.PUBLIC.maf", rows, [*MC3, "CENTERS"])])
    assert status["idh_evidence"].to_list() == [
        "IDH1 p.R132H (4 callers)",
        "sequenced, no IDH variant (MC3); IDH1 p.R132H seen by 1 caller (mutect2), 2 needed",
        "sequenced, no IDH variant (MC3); IDH1 p.R132H seen by 1 caller (varscan2), 2 needed",
        "sequenced, no IDH variant (MC3); IDH1 p.R132H seen by none of the four callers (pindel, radia), 2 needed",
        "sequenced, no IDH variant (MC3)",
    ]
    assert "callers in column CENTERS" in notes[0]


def test_mc3_without_centers_is_trusted_and_says_so(write):
    loud = write("loud.tsv.gz", [call(R132H, ONE)], MC3, packed=True)
    silent = write("silent.tsv", [call(R132H, TWO, Variant_Classification="Silent")], MC3)
    status, disagreements, notes = idh_from_variants([loud, silent])
    assert status["idh_evidence"].to_list() == [
        "IDH1 p.R132H (MC3: at least 2 callers)",
        "sequenced, no IDH variant (MC3)",
    ]
    assert disagreements.empty and list(disagreements.columns) == DISAGREEMENT_COLUMNS
    assert "all its variants count as reported by two callers" in notes[-1]
    with pytest.raises(InputError, match="loud.tsv.gz: expected 3 callers; found MC3 without the column CENTERS"):
        idh_from_variants([loud], MutationRule(min_callers=3))


def test_mc3_beside_one_caller_of_gdc(write):
    mc3 = write("mc3.tsv", [call(R132H, ONE)], [name for name in MC3 if name != "NCBI_Build"])
    status, _, notes = idh_from_variants([mc3, write("muse", [call(TP53, TWO), call(TP53, ONE)])])
    assert status["idh"].to_dict() == {ONE: "1", TWO: "0"}
    assert status["idh_evidence"].to_list() == [
        "IDH1 p.R132H (MC3: at least 2 callers)",
        "sequenced, no IDH variant; patient seen by 1 caller (muse), 2 needed",
    ]
    assert notes[-1] == f"1 of 2 patients are in files of fewer than 2 callers, too few to be mutant: {TWO}."


def test_the_caller_can_be_given(write):
    one, two = write("a.maf", [call(R132H, ONE)]), write("b.maf", [call(R132H, ONE)])
    assert statuses([f"MuSE={one}", f"varscan={two}"]) == {ONE: "1"}
    with pytest.raises(InputError, match="expected one of muse, mutect2, .* found 'freebayes'"):
        idh_from_variants([f"freebayes={one}"])


def test_a_given_caller_beside_a_column_of_callers_is_refused(write):
    path = write("a.maf", [call(R132H, ONE, callers="muse")], [*GDC, "callers"])
    with pytest.raises(InputError, match="found several callers in column callers"):
        idh_from_variants([f"muse={path}"])


def test_a_path_may_hold_an_equals_sign(write, tmp_path, monkeypatch):
    folder = tmp_path / "release=10"
    folder.mkdir()
    one = write("a.maf", [call(R132H, ONE)]).rename(folder / "a.muse.maf")
    two = write("b.maf", [call(R132H, ONE)]).rename(tmp_path / "b=c.mutect.maf")
    monkeypatch.chdir(tmp_path)
    assert statuses([str(one), "b=c.mutect.maf", f"varscan={two}"], min_callers=3) == {ONE: "1"}


def test_gdc_file_without_a_caller_in_its_name_is_refused(write):
    path = write("calls.maf", [call(R132H, ONE)])
    with pytest.raises(InputError, match=r"no caller in its name. Write, say, mutect2=FILE"):
        idh_from_variants([path])
    path = write("muse.mutect.maf", [call(R132H, ONE)])
    with pytest.raises(InputError, match=r"found muse and mutect2 in its name"):
        idh_from_variants([path])


def test_callers_that_can_never_agree_are_refused(write):
    muse, pindel = write("muse", [call(R132H, ONE)]), write("pindel", [call(R132H, ONE)])
    for mafs in ([muse], [muse, muse], [muse, pindel]):
        with pytest.raises(InputError, match="expected files of 2 of muse, .*; found only muse"):
            idh_from_variants(mafs)
    assert statuses([muse], min_callers=1) == {ONE: "1"}
    with pytest.raises(InputError, match="expected MAF files; found none"):
        idh_from_variants([])


@pytest.mark.parametrize("rule", [{"min_callers": 0}, {"min_callers": 5}, {"genes": ()}, {"genes": ("IDH1", "IDHH2")}])
def test_rules_that_nobody_can_meet_are_refused(rule):
    with pytest.raises(InputError):
        MutationRule(**rule)
    with pytest.raises(InputError, match="expected IDH1, IDH2 or both; found IDH1, TP53"):
        MutationRule(genes=("IDH1", "TP53"), hotspot_only=True)


@pytest.mark.parametrize(("column", "cell"), [("callers", "muse;freebayes"), ("CENTERS", "MUSE|X"), ("callers", "")])
def test_unknown_callers_are_named_with_their_line(write, column, cell):
    rows = [call(TP53, ONE, **{column: "muse"}), call(TP53, ONE, **{column: cell})]
    path = write("a.maf", rows, [*MC3, column, "last"], comment="#one\n#two\n")
    with pytest.raises(InputError) as caught:
        idh_from_variants([path])
    assert caught.value.found == f"{cell!r} in line 5, column {column}" and caught.value.file == str(path)


@pytest.mark.parametrize("barcode", ["S1", "TCGA-AA-001", "", "TCGA_AA_0001-01A", "TCGA-AA-00012"])
def test_barcodes_of_others_are_refused(write, barcode):
    path = write("muse", [call(TP53, ONE), call(TP53, ONE, Tumor_Sample_Barcode=barcode)])
    with pytest.raises(InputError) as caught:
        idh_from_variants([path, write("mutect", [])])
    assert caught.value.found == f"{barcode!r} in line 3, column Tumor_Sample_Barcode"


def test_missing_columns_are_named_beside_those_there(tmp_path):
    path = tmp_path / "a.muse.maf"
    path.write_text("Hugo_Symbol,Chromosome\nIDH1,2\n")
    with pytest.raises(InputError, match=r"columns Hugo_Symbol, .*Tumor_Seq_Allele2; found Hugo_Symbol,Chromosome"):
        idh_from_variants([path])
    columns = [column for column in GDC if column != "HGVSp_Short"]
    path.write_text(maf_text([call(R132H, ONE)], columns))
    with pytest.raises(InputError, match=r"columns HGVSp_Short; found Hugo_Symbol, Entrez_Gene_Id, Center"):
        idh_from_variants([path])
    path.write_text("#version gdc-1.0.0\n")
    with pytest.raises(InputError, match="found nothing"):
        idh_from_variants([path])
    path.write_bytes(b"PK\x03\x04\x00")
    with pytest.raises(InputError, match="found a file that is not text"):
        idh_from_variants([path])


def test_a_file_that_is_cut_off_is_refused(write):
    rows = [call(R132H, f"TCGA-AA-{number:04}") for number in range(500)]
    plain, packed = write("muse", rows), write("mutect", rows, packed=True)
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="expected a complete gzip file; found a truncated file"):
        idh_from_variants([packed, plain])
    packed.write_bytes(whole[:200] + bytes(50) + whole[250:])
    with pytest.raises(InputError, match="expected a MAF, gzipped or not; found "):
        idh_from_variants([packed, plain])
    packed.write_bytes(whole)
    plain.write_bytes(plain.read_bytes()[:-60])
    match = rf"expected {len(GDC)} fields per row; found \d+ in line 501. The file is truncated"
    with pytest.raises(InputError, match=match):
        idh_from_variants([packed, plain])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="nowhere.muse.maf: expected a MAF, gzipped or not; found No such file"):
        idh_from_variants([tmp_path / "nowhere.muse.maf"])


@pytest.mark.parametrize(
    ("column", "cell"), [("Variant_Classification", "missense"), ("Start_Position", "2.08e8"), ("Start_Position", "")]
)
def test_cells_that_cannot_be_used_are_named(write, column, cell):
    mafs = [write("muse", [call(R132H, ONE)]), write("mutect", [call(R132H, ONE, **{column: cell})])]
    with pytest.raises(InputError, match=f"found '{cell}' in line 2, column {column}"):
        idh_from_variants(mafs)


def test_two_genome_builds_are_not_matched(write):
    muse = write("muse", [call(R132H, ONE, NCBI_Build="GRCh38")])
    mutect = write("mutect", [call(R132H, ONE, NCBI_Build="hg19", Start_Position="209113112")])
    with pytest.raises(InputError, match="expected variants on one genome build; found GRCh37 and GRCh38"):
        idh_from_variants([muse, mutect])


def test_packing_is_told_by_the_content(write):
    packed = write("muse", [call(R132H, ONE)], packed=True)
    plain = write("a.mutect.maf.gz", [call(R132H, ONE)])
    assert statuses([packed, plain]) == {ONE: "1"}
    several = gzip.compress(maf_text([call(TP53, TWO)]).encode()) + gzip.compress(plain.read_bytes().split(b"\n", 1)[1])
    plain.write_bytes(several)  # gzip files may be strung together, as bgzip does
    assert statuses([packed, plain]) == {ONE: "1", TWO: "0"}


def test_quotes_and_line_ends_are_plain_characters(tmp_path):
    rows = [call(TP53, TWO, all_effects='"p.R1'), call(R132H, ONE, all_effects="5'"), call(TP53, THREE)]
    columns = [*(name for name in MC3 if name != "Tumor_Sample_Barcode"), "Tumor_Sample_Barcode"]
    for name in ("muse", "mutect"):
        text = "\ufeff" + maf_text(rows, columns).replace("\n", "\r\n") + "\r\n"
        (tmp_path / f"a.{name}.maf").write_bytes(text.encode())
    assert statuses(sorted(tmp_path.iterdir())) == {ONE: "1", TWO: "0", THREE: "0"}


def test_progress_counts_the_bytes_of_the_files(write, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    muse, mutect = write("muse", [call(R132H, ONE)], packed=True), write("mutect", [call(R132H, ONE)])
    idh_from_variants([muse, mutect], quiet=False)
    assert "variants: 100%" in capsys.readouterr().err
    idh_from_variants([muse, mutect])
    assert capsys.readouterr().err == ""


def test_the_cohort_of_the_paper_comes_out(real_data):
    status, disagreements, notes = idh_from_variants(sorted((real_data / "tcga_mc3").glob("*.tsv.gz")))
    mapping = pd.read_csv(real_data / "brats20_mini/MICCAI_BraTS2020_TrainingData/name_mapping.csv", dtype=str)
    patients = mapping["TCGA_TCIA_subject_ID"].dropna()
    cohort = status[status.index.isin(patients)]
    assert cohort["idh"].value_counts().to_dict() == {"0": 65, "1": 56} and disagreements.empty
    manifest = pd.read_csv(manifests_folder() / "brats2020_tcga.csv", dtype=str).set_index("patient")
    known = manifest.loc[manifest["idh"].notna(), ["idh", "idh_evidence"]]
    pd.testing.assert_frame_equal(known.sort_index(), cohort)
    assert "46413 rows of 388 patients" in notes[0]


def test_genes_in_small_letters_are_the_genes():
    assert MutationRule(genes=("idh1", "Idh2")).genes == ("IDH1", "IDH2")


def test_a_header_alone_is_no_cohort(write):
    with pytest.raises(InputError, match="expected rows in the MAF files; found headers only"):
        idh_from_variants([write("muse", []), write("mutect", [])])
