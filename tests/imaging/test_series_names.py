"""Names and descriptions of series: ordinary ones are read rightly, ambiguous ones are left open.

Names of five makers' protocols and of data sets, in English, German, French, Spanish, Italian and Dutch.
"""

import pytest

from glioma_idh.imaging.series_contrast import contrast_said
from glioma_idh.imaging.series_names import roles_named, words_of

AMBIGUOUS = """
T1 w/wo contrast
T1 with and without contrast
T1 with/without Gd
T1 wwo
T1 +/- C
T1 ± KM
T1 mit und ohne KM
T1 mit/ohne KM
T1 avec et sans gado
T1 con y sin contraste
T1 con e senza mdc
T1 met en zonder contrast
T1 pre/post KM
T1 pre and post contrast
T1 vor und nach KM
T1 pre + post Gd
T1 post Müller
T1 pre Huber
preop T1
T1 post-op
T1 pre-op
T1 postoperativ
T1 intraop
T1 pre/post op
T1 post RT
T1 pre-treatment
T1 post biopsy
T1 vor OP
T1 nach Bestrahlung
T1 Gd?
T1 contrast if needed
T1 ggf. KM
T1 KM bei Bedarf
T1+
T1 KM -
T1_to_T1Gd
t1_t1ce
T1 high contrast
T1 nativ und KM
t1gd_pre
"""
"""Forty: nothing here says whether contrast agent was given."""

ORDINARY = {
    "t1": """
T1 pre contrast
T1 PRE
AX T1 PRE GAD
SAG T1 W/O
AX T1 WO
T1 w/o contrast
T1 without contrast FS
T1 no contrast
T1 non-contrast
T1 noncontrast
Ax T1 non contrast
T1 unenhanced
T1 plain
T1 native
T1 C-
T1 before contrast
T1 prior to gadolinium
T1 contrast: none
t1_mprage_sag_nativ
T1 nativ sag
T1 ohne KM
T1 vor KM
t1_se_tra vor KM
T1 prä KM
T1 sans gado
T1 sans injection
T1 avant injection
T1 natif
T1 sin contraste
T1 antes de contraste
T1 senza mdc
T1 senza mezzo di contrasto
T1 basale
T1 zonder contrast
T1 blanco
T1 voor contrast
T1 post-op nativ
T1 preop ohne KM
AXT1PRE
""",
    "t1gd": """
T1 post contrast
T1 POST
AX T1 POST GAD
T1+C
T1 +C FS
T1 C+
T1 Gd
T1 post Gd FS
T1 with contrast
T1 w/ contrast
T1 w contrast
Ax T1 FS +C
SAG T1 POST
Ax FSPGR 3D +C
AX BRAVO POST GAD
3D T1 BRAVO +C
T1W_TSE +C
T1W_3D_TFE_GD
sT1W_SE_Gd
3D_T1_TFE_+C
t1_mprage_sag_KM
t1_mprage_tra_p2_iso_post_KM
T1 MPRAGE post
t1_vibe_fs_tra_km
T1 mit KM
T1 nach KM
T1 post KM
T1 KM
t1_se_cor_fs_KM
T1 gado
T1 avec gado
T1 apres injection
T1 post gado
T1 con contraste
T1 despues de contraste
T1 con mdc
T1 dopo mdc
T1 con gadolinio
T1 met contrast
T1 na contrast
T1 met gado
t1_gre_fsp_3d_sag_+C
POST AX T1
POST CONTRAST SAG T1
T1 CE
CE-MPRAGE
T1 contrast enhanced
T1 pre-op post contrast
T1 post-op Gd
T1 +C no FS
""",
    "t1 t1gd": """
t1_mprage_sag_p2_iso
T1 SE AX
Sag T1
sT1W_3D_TFE
T1 GRE 3D
Ax BRAVO
ADNI_Sag3D MPRAGE
3D Ax T1 MP-RAGE_R22
t1_gre_fsp_3d_sag
T1 no FS
T1 pondérée SE
T1 gewichtet tra
""",
    "flair t1 t1gd": """
Ax T1 FLAIR
T1 FLAIR SAG
""",
    "t2": """
t2_tse_tra_320
AX T2
Ax T2 FSE
Ax T2 FRFSE fs
T2W_TSE
sT2W_TSE
T2 PROPELLER
t2_blade_tra
T2 spin echo transversal
T2 pondérée
T2 pesata
T2 gewogen
T2 SE coronal
T2 post contrast
t2_fse_tra
T2 CUBE
""",
    "flair": """
t2_tirm_tra_dark-fluid
t2_spc_da-fl_FLAIR_sag
Ax T2 FLAIR
SAG CUBE T2 FLAIR
AX T2 FLAIR PROPELLER
FLAIR_longTR
3D_FLAIR
T2W_FLAIR
t2_flair_tra
FLAIR post contrast
FLAIR sag
flair transversal
""",
    "dwi": """
ep2d_diff_b1000
ep2d_diff_3scan_trace_p2
DWI_SSh
Ax DWI b1000
AX DTI 25 dir
DTI_Biobank_2mm_MB3S2_EPI
dti_tra_dir16_PA_rot
resolve_3scan_trace_tra_TRACEW
Ax DWI ASSET
diffusion tra
""",
    "adc": """
ep2d_diff_b1000_ADC
Apparent Diffusion Coefficient (mm2/s)
dADC map
ADC (10^-6 mm2/s)
Average DC
dADC
""",
    "dsc": """
ep2d_perf
AX PERFUSION
T2* perfusion
DSC
PWI
""",
    "": """
Exponential ADC
eADC
Exponential Apparent Diffusion Coefficient
t2_gre
t2_fl2d_tra_hemo_star
SWI
ep2d_bold_rest
TOF_3D
Fractional Anisotropy
3-plane loc
field map
T1 spine
""",
}
"""What a scanner's words tell; `t1 t1gd` where its header must say which, nothing for other kinds of image."""

OTHERS = {
    "t1": """
T1 o. KM
T1 v. KM
T1 s/ contraste
T1 S/C
T1 ss gado
T1 uden kontrast
T1 geen contrast
T1 KM-frei
T1 contrast-free
T1 contrast not given
T1 w-o contrast
T1 with out contrast
T1 C(-)
T1 senza m.d.c.
BRAIN WITHOUT CONTRAST T1 AX
""",
    "t1gd": """
T1 m. KM
T1 C/C
T1 c/ gado
T1 i.v. KM
T1 C(+)
T1 dopo m.d.c.
T1 preop post
ADNI_Sag3D MPRAGE +C
T1 post 3mm
T1 Gd pre op
""",
    "t1 t1gd": """
T1 pre stealth
T1 post motion correction
T1 ohne/mit KM
T1 con o sin contraste
T1 mit o. ohne KM
MRI BRAIN W WO CONTRAST AX T1
T1 C-/C+
T1 m/o KM
T1 Gd y/n
T1 av gado
T1 RT post
T1 Meyer post
T1 Mueller C
T1 30 sec
T1 Vorse
T1 Corce
T1 RTC
T1 pre GK
T1 contrast optimized
T1 Postma
T1 Nora
T1 Mitchell
T1 Gadamer
T1 \u0431\u0435\u0437 \u043a\u043e\u043d\u0442\u0440\u0430\u0441\u0442\u0430
""",
    "flair": """
t2_spc_da-fl_sag
FLAIR CUBE MPR
""",
    "": """
T2 FFE
t2_fl2d_tra
T1 rho
T2 maps
T1 FLASH map
T1 relaxometry
T2 sag HWS
T1 sag BWS KM
SAG T1 RACHIS
T1 colonna
T1 Hypophyse KM
T1 post minus pre
DTI AD
B0 map
perf_PBP
synthetic T1
T1 perfusion
""",
}
"""What other protocols say; found by trying names that nobody had thought of when the words were chosen."""

FILES = {
    "t1": ("t1", "T1w", "sub-01_ses-preop_T1w", "t1n", "T1_SE", "t1_nativ", "T1-native-space", "mprage_ohne_km"),
    "t1gd": ("t1gd", "t1ce", "T1wCE", "t1c", "T1postContrast", "MPRAGE", "sub-01_ce-gadolinium_T1w", "T1_Gd_reg"),
    "t2": ("t2", "T2w", "T2_TSE"),
    "flair": ("flair", "t2f", "T2-FLAIR", "Flair_n4"),
    "t1 t1gd": ("T1_MPRAGE", "bravo", "T1_postop", "t1_preop"),
    "lesion_mask": ("seg", "tumor_mask", "flair_roi"),
    "brain_mask": ("brain_mask", "brainmask"),
    "rcbv": ("rCBV", "dsc_cbv"),
}  # fmt: skip
OTHER_FILES = {
    "t1": ("T1_Warped", "T1_head", "T1_to_SRI_brain", "Smith_T1", "T1ohneKM", "T1withoutcontrast"),
    "t1gd": ("T1withcontrast", "T1avecGado", "T1_wC", "acq-post_T1w"),
    "t1 t1gd": ("T1_mit", "T1_con", "T1_\u9020\u5f71", "T1-"),
    "flair": ("flair_space-T1w",),
    "brain_mask": ("T1_bet_mask", "skullstrip_mask"),
    "brain_mask lesion_mask": ("T1_mask", "dwi_mask"),
    "lesion_mask": ("t1ce_bet_tumor_seg", "FLAIR_seg"),
    "": ("wm_mask", "ventricle_mask", "T1_wm", "T1_jacobian", "T1_diff_post_pre", "DTI_eddy_MD"),
}


def listed(text: str) -> list[str]:
    """The lines of a list."""
    return text.strip().splitlines()


def test_the_lists_are_long_enough():
    assert len(listed(AMBIGUOUS)) == 40
    assert sum(len(listed(text)) for text in ORDINARY.values()) >= 150


@pytest.mark.parametrize("name", listed(AMBIGUOUS))
@pytest.mark.parametrize("described", [True, False])
def test_what_is_ambiguous_is_left_open(name, described):
    assert roles_named(words_of(name), described) == {"t1", "t1gd"}


@pytest.mark.parametrize(
    ("name", "roles"), [(name, roles) for roles, text in ORDINARY.items() for name in listed(text)]
)
def test_ordinary_descriptions_are_read_rightly(name, roles):
    assert roles_named(words_of(name), described=True) == set(roles.split())


@pytest.mark.parametrize(("name", "roles"), [(name, roles) for roles, text in OTHERS.items() for name in listed(text)])
def test_descriptions_that_nobody_thought_of_are_read_rightly(name, roles):
    assert roles_named(words_of(name), described=True) == set(roles.split())


@pytest.mark.parametrize(
    ("name", "roles"), [(name, roles) for roles, names in (*FILES.items(), *OTHER_FILES.items()) for name in names]
)
def test_the_names_of_files_are_taken_at_their_word(name, roles):
    assert roles_named(words_of(name), described=False) == set(roles.split())


def test_what_says_nothing_is_not_told():
    for text in ("", "Brain", "Müßigbrodt", "post contrast", "b", "AX 3D"):
        assert roles_named(words_of(text), described=True) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Frau Meier T2_FLAIR-fs", "? ? t2 flair fs"),
        ("3D MPRAGE t1 +C", "mprage t1 contrast"),
        ("DWI b0 b1000 b1", "dwi b0 b1000"),
        ("t1weighted flairish b500", "? ? b500"),
        ("Müßigbrodt 1961-07-23 KH4711", "? ?"),
        ("sub-Eisenbarth_T1w", "t1w"),
    ],
)
def test_words_that_are_not_known_are_left_out(text, words):
    assert words_of(text) == tuple(words.split())


def test_what_other_words_say_of_contrast():
    assert contrast_said(words_of("AX POST GAD")) == {True} and contrast_said(words_of("AX PRE")) == {False}
    assert contrast_said(words_of("no fat sat")) == set()
