"""The columns of the cohort table, and their usual names in tables, label sheets and folders."""

import difflib
import re
from functools import cache

from glioma_idh.cohorts.cells import without_accents
from glioma_idh.imaging import series_vocabulary as vocabulary
from glioma_idh.imaging.series_names import roles_named, words_of

SEQUENCE_NAMES = {"t1": "T1", "t1gd": "T1Gd", "t2": "T2", "flair": "FLAIR", "rcbv": "rCBV", "adc": "ADC"}
MASK_NAMES = {"lesion_mask": "lesion mask", "brain_mask": "brain mask"}
SEQUENCES, MASKS = tuple(SEQUENCE_NAMES), tuple(MASK_NAMES)
PATHS = SEQUENCES + MASKS
IDENTITY = (
    *("subject", "patient", "cohort", "site", "idh", "idh_evidence", "grade", "age_years", "sex"),
    *("histology", "codeletion_1p19q", "mgmt", "who2021"),
)
COLUMNS = (*IDENTITY, *PATHS, "adc_divisor")
SYNONYMS = {  # lower-case letters and digits only; ambiguous names are in `HINTS`
    "subject": "subjectid subjid id case caseid",
    "site": "center centre hospital institution",
    "idh": "idhstatus idhmutation idhmutationstatus idhmutant idhmut idhgenotype idh12 idh12status idh12mutation",
    "grade": "whograde cnswhograde whocnsgrade tumorgrade tumourgrade",
    "age_years": (
        "age agey ageyr ageyrs ageyear ageinyears patientage alter edad ageatmri ageatmriyears ageatscan "
        "ageatscanyears ageatdiagnosis ageatdiagnosisyears ageatsurgery ageatsurgeryyears"
    ),
    "sex": "gender patientsex geschlecht sexe sexo sesso",
    "histology": "histologicaltype histologicaldiagnosis",
    "codeletion_1p19q": "1p19q 1p19qcodeletion 1p19qcodel 1p19qstatus 1p19qcodeletionstatus codeletion",
    "mgmt": (
        "mgmtstatus mgmtmethylation mgmtmethylationstatus mgmtpromoter mgmtpromoterstatus mgmtpromotermethylation "
        "mgmtpromotermethylationstatus"
    ),
    "who2021": "who2021class who2021diagnosis who2021classification",
}
HINTS = {  # ambiguous names, which are not read, and the columns that may be meant
    **dict.fromkeys(("patientid", "patid", "participantid", "participant", "pat", "mrn"), ("subject", "patient")),
    **dict.fromkeys(("name", "studyid", "scanid", "exam", "examid", "session", "sub", "subjects"), ("subject",)),
    **dict.fromkeys(("label", "labels"), ("idh", "lesion_mask")),
    **dict.fromkeys(("truth", "class", "target", "mutation", "mutant", "genotype", "idh1", "idh2"), ("idh",)),
    **dict.fromkeys(("diagnosis", "pathology"), ("histology", "who2021")),
    **dict.fromkeys(("dataset", "collection"), ("cohort",)),
    **dict.fromkeys(("idhwildtype", "idhwt"), ()),  # here 1 means wild-type
}
SUGGESTED_BY_WORD = ("idh", "grade", "age_years", "sex", "codeletion_1p19q", "mgmt")
WRITTEN = re.compile(  # further columns that the package itself writes; they are ignored without a message
    r"treated_before|brats_grade|brats20\d\d_subject|has_(dsc|dti|automatic_mask|corrected_mask)|lesion_ml|prepared|\w+_voxel_hash"
)
_NAMES = {re.sub("[^a-z0-9]", "", name): name for name in COLUMNS} | {
    synonym: name for name, synonyms in SYNONYMS.items() for synonym in synonyms.split()
}
_SIGNS, _SIGNS_OF_PATHS = r"[\w\s./()\[\]:?#-]*", r"[\w\s-]*"  # `T1+` and `T2*` are not T1 and T2
_OF_PATHS = frozenset(("path", "paths", "file", "files", "filename", "filenames", "nifti", "nii", "image", "scan"))
_OF_SEQUENCES = vocabulary.T1_WEIGHTED.union(*(vocabulary.SEQUENCES[name] for name in SEQUENCES))
_CONTRAST = vocabulary.AGENT | vocabulary.WITH | vocabulary.WITHOUT | vocabulary.BEFORE | vocabulary.AFTER
_SAYING_WHICH = _OF_SEQUENCES | _CONTRAST | vocabulary.NATIVE | vocabulary.MAPS
_OF_MASKS = vocabulary.MASK | vocabulary.LESION | vocabulary.BRAIN | {"brainmask"}


@cache
def meaning_of(name: str) -> str:
    """Return the column of the cohort table that a name means; "" if none. Case, spaces, `_` and `-` do not matter."""
    if name in COLUMNS:
        return name
    letters = _letters(name)
    column = _NAMES.get(letters, "")
    if column and re.fullmatch(_SIGNS_OF_PATHS if column in PATHS else _SIGNS, name):
        return column
    if letters in HINTS:
        return ""
    kept = [word for word in re.split(r"[\s_.-]+", name) if without_accents(word) not in _OF_PATHS]
    words, columns = set(words_of(" ".join(kept))), paths_named(name)
    of_mask = bool(words & (vocabulary.MASK | {"brainmask"})) and words <= _OF_MASKS
    of_scan = bool(words & _OF_SEQUENCES) and words <= _SAYING_WHICH
    return columns[0] if len(columns) == 1 and (of_mask or of_scan) else ""


def paths_named(name: str) -> list[str]:
    """List the image columns that the name of a file or column could mean."""
    roles = roles_named(words_of(name), described=False) or ()
    return [column for column in PATHS if column in roles]


def could_be(name: str, holds_paths: bool = False) -> tuple[str, ...]:
    """List the columns that an unknown or ambiguous name may mean; `holds_paths` if its cells are paths."""
    letters = _letters(name)
    if letters in HINTS:
        return tuple(column for column in HINTS[letters] if column not in PATHS or holds_paths)
    if holds_paths:
        return tuple(paths_named(name))
    for word in re.findall(r"[a-z0-9]+", without_accents(name)):
        column = _NAMES.get(word) or next(iter(HINTS.get(word, ())), "")
        if column in SUGGESTED_BY_WORD:
            return (column,)
    known = [letters for letters, column in _NAMES.items() if column not in PATHS]
    return tuple(_NAMES[near] for near in difflib.get_close_matches(letters, known, n=1, cutoff=0.8))


def suggested(name: str, holds_paths: bool = False) -> str:
    """Return the name, followed by the columns of `could_be` in brackets."""
    columns = [column.replace("age_years", "age_years, in years") for column in could_be(name, holds_paths)]
    return f"{name} ({' or '.join(columns)}?)" if columns else name


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", without_accents(name))
