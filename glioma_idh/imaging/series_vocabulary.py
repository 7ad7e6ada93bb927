"""The words that names of files and descriptions of series are read by; in small letters, without accents."""

SEQUENCES = {
    "t1": ("t1", "t1w", "t1wi"),
    "t1gd": ("t1gd",),
    "t2": ("t2", "t2w", "t2wi"),
    "flair": ("flair", "fla", "tirm", "darkfluid"),
    "rcbv": ("rcbv", "cbv"),
    "adc": ("adc", "dadc"),
    "dwi": ("dwi", "dti", "diff", "diffusion", "diffusie", "diffusione", "difusion", "hardi", "trace", "tracew"),
    "dsc": ("dsc", "perf", "perfusion", "perfusie", "perfusione", "pwi"),
}
"""By role the words that name it."""
T1_WEIGHTED = {"mprage", "mpr", "bravo", "fspgr", "spgr", "vibe", "thrive", "tfl"}
"""Acquisitions that are made T1-weighted."""
AGENT = {
    *("c", "ce", "contrast", "contraste", "contrasto", "kontrast", "kontrastmittel", "km", "gd", "gad", "gado", "mdc"),
    *("gadolinium", "gadolinio", "gadovist", "gadavist", "dotarem", "clariscan", "prohance", "magnevist", "omniscan"),
    *(
        "multihance",
        "gadobutrol",
        "gadoterate",
        "enhanced",
        "enh",
        "injection",
        "inj",
        "civ",
        "pdc",
        "dtpa",
        "postcontrast",
    ),
}
"""A contrast agent, or that it was given."""
WITH = {"with", "w", "mit", "avec", "con", "com", "met", "med", "plus", "na"}
WITHOUT = {
    "without",
    "wo",
    "ohne",
    "sans",
    "sin",
    "senza",
    "sem",
    "zonder",
    "utan",
    "bez",
    "no",
    "non",
    "not",
    "kein",
    "nein",
    "none",
    "voor",
    "prima",
}
WITHOUT_ALONE = {"without", "wo", "ohne", "sans", "sin", "senza", "sem", "zonder", "utan"}
"""Of those, the ones that say it at the end of a description with no agent named."""
BEFORE = {"pre", "prae", "pra", "vor", "avant", "antes", "before", "prior", "ante"}
AFTER = {"post", "nach", "apres", "despues", "dopo", "after", "following"}
NATIVE = {
    *(
        "native",
        "nativ",
        "nativa",
        "nativo",
        "natif",
        "plain",
        "unenhanced",
        "nonenhanced",
        "noncontrast",
        "precontrast",
    ),
    *("nonce", "basale", "blanco", "contrastfree", "kontrastfrei"),
}
"""That no contrast agent was given."""
UNDECIDED = {
    "either",
    "optional",
    "ggf",
    "evtl",
    "eventuell",
    "eventuel",
    "bedarf",
    "needed",
    "possible",
    "if",
    "falls",
}
EVENT = {
    *(
        "op",
        "operation",
        "operativ",
        "operative",
        "operatoire",
        "operatorio",
        "operatief",
        "surgery",
        "surgical",
        "resection",
    ),
    *(
        "rt",
        "radiation",
        "radiotherapy",
        "radiotherapie",
        "treatment",
        "therapy",
        "therapie",
        "therapeutic",
        "tx",
        "rx",
    ),
    *("chemo", "chemotherapy", "biopsy", "biopsie", "bestrahlung", "chirurgie", "cirugia", "chirurgia", "intervento"),
    *("intervention", "scan", "processing", "processed", "proc", "embolization", "embolisation", "seizure", "stroke"),
}
"""What a scan may lie before or after, other than the contrast agent."""
LINKS = {
    *(
        "and",
        "und",
        "et",
        "e",
        "y",
        "en",
        "or",
        "oder",
        "ou",
        "to",
        "the",
        "of",
        "de",
        "di",
        "du",
        "del",
        "do",
        "la",
        "el",
    ),
    *("i", "v", "iv", "mezzo", "medio", "medium", "produit", "agent", "any", "administration", "intravenous", "gabe"),
}
"""Words between a preposition and what it stands before."""
CONJUNCTIONS = {"and", "und", "et", "e", "y", "en", "or", "oder", "ou"}
NOT_AN_AGENT = {"high", "low", "tissue", "soft", "transfer", "dual", "good", "best", "optimal", "improved"}
"""Before `contrast`: that of the picture."""
GEOMETRY = {
    *(
        "ax",
        "axial",
        "axiale",
        "tra",
        "trans",
        "transversal",
        "transverse",
        "transversaal",
        "sag",
        "sagittal",
        "sagital",
    ),
    *(
        "cor",
        "coronal",
        "coronaal",
        "koronar",
        "kor",
        "obl",
        "oblique",
        "iso",
        "isotropic",
        "thin",
        "vol",
        "volume",
        "whole",
    ),
    *(
        "brain",
        "head",
        "kopf",
        "schadel",
        "schaedel",
        "hirn",
        "neuro",
        "cerveau",
        "crane",
        "cranio",
        "encefalo",
        "cerebro",
    ),
    *(
        "cabeza",
        "testa",
        "hersenen",
        "hoofd",
        "cerebrum",
        "mm",
        "images",
        "series",
        "new",
        "rpt",
        "repeat",
        "wip",
        "run",
    ),
    *(
        "stealth",
        "navigation",
        "nav",
        "brainlab",
        "gk",
        "stereo",
        "stereotactic",
        "mrt",
        "mri",
        "irm",
        "rm",
        "rmn",
        "mr",
    ),
    *("tumor", "tumour", "lesion", "mask", "reg", "registered", "coreg", "resampled", "corrected", "bias", "n4", "bet"),
    *("stripped", "skullstripped", "final", "norm", "normalized", "normalised", "mni", "space", "reformat", "cerebral"),
    *("gewichtet", "weighted", "pondere", "ponderee", "pesata", "gewogen", "image", "imagen", "auto", "sequence"),
    *("min", "minutes", "delayed", "late", "early"),
}
"""Words that say where, or what was done later; prepositions look through them."""
TECHNIQUE = {
    *(
        "se",
        "tse",
        "fse",
        "frfse",
        "gre",
        "ge",
        "ir",
        "tfe",
        "ffe",
        "fl",
        "spc",
        "cube",
        "vista",
        "fs",
        "fatsat",
        "fat",
    ),
    *("sat", "sup", "spir", "spair", "chess", "dixon", "water", "mt", "mtc", "grappa", "sense", "ipat", "asset", "arc"),
    *(
        "clear",
        "caipi",
        "hr",
        "hires",
        "blade",
        "propeller",
        "multivane",
        "radial",
        "flow",
        "comp",
        "fc",
        "dis",
        "p2",
        "p3",
    ),
    *(
        "epi",
        "ep",
        "ssh",
        "asc",
        "msh",
        "tr",
        "te",
        "ti",
        "long",
        "longtr",
        "short",
        "turbo",
        "fast",
        "spin",
        "echo",
        "gradient",
    ),
    *(
        "dl",
        "air",
        "recon",
        "deepresolve",
        "cs",
        "smart",
        "speed",
        "filtered",
        "unfiltered",
        "avg",
        "trim",
        "etl",
        "map",
    ),
    *("motion", "nd", "mc", "fsp", "quick", "opt", "hd", "uhr", "fova", "inv", "inversion", "recovery", "suppressed"),
}
"""How it was acquired; `no fs` says nothing of a contrast agent."""
MASK = {
    "mask",
    "maske",
    "masque",
    "mascara",
    "maschera",
    "seg",
    "segm",
    "segmentation",
    "segmentierung",
    "label",
    "labels",
    "roi",
}
LESION = {"lesion", "lasion", "tumor", "tumour", "tumeur", "tumore"}
BRAIN = {"brain", "brainmask"}
NO_ROLE = {
    *(
        "star",
        "t2star",
        "gre",
        "swi",
        "asl",
        "cbf",
        "rcbf",
        "mtt",
        "ttp",
        "tmax",
        "eadc",
        "fa",
        "colfa",
        "dce",
        "ktrans",
    ),
    *(
        "pcasl",
        "pasl",
        "swan",
        "stir",
        "tof",
        "mra",
        "mrv",
        "angio",
        "phase",
        "fmri",
        "bold",
        "rest",
        "resting",
        "ciss",
    ),
    *(
        "fiesta",
        "mip",
        "subtraction",
        "sub",
        "subtr",
        "mrs",
        "csi",
        "svs",
        "spectroscopy",
        "pd",
        "pdw",
        "proton",
        "mp2rage",
    ),
    *("inv1", "inv2", "t1map", "t2map", "mapping", "fieldmap", "b0map", "localizer", "localiser", "loc", "scout"),
    *(
        "survey",
        "calibration",
        "smartbrain",
        "spine",
        "cspine",
        "cervical",
        "thoracic",
        "lumbar",
        "neck",
        "orbit",
        "orbits",
    ),
    *("venobold", "minip", "anisotropy", "fractional", "exponential"),
}
"""Images that have none of the roles, whatever else is said of them; `gre` may be a T1 too."""
KNOWN = frozenset(
    {word for words in SEQUENCES.values() for word in words}
    | T1_WEIGHTED
    | AGENT
    | WITH
    | WITHOUT
    | BEFORE
    | AFTER
    | NATIVE
    | UNDECIDED
    | EVENT
    | LINKS
    | NOT_AN_AGENT
    | GEOMETRY
    | TECHNIQUE
    | MASK
    | LESION
    | BRAIN
    | NO_ROLE
)
PIECES = {
    *("t1", "t1w", "t1wi", "t2", "t2w", "t2wi", "flair", "mprage", "mpr", "dwi", "perf", "diff", "adc", "star"),
    *("ce", "contrast", "gd", "gad", "gado", "km", "enhanced", "kontrast", "c"),
    *("pre", "post", "non", "ohne", "mit", "without", "vor", "nach", "native", "nativ"),
    *("biopsy", "surgery", "surgical", "treatment", "operation", "resection", "radiation", "chemo", "therapy"),
    *(
        "op",
        "operativ",
        "operative",
        "rt",
        "ax",
        "axial",
        "sag",
        "cor",
        "tra",
        "fs",
        "se",
        "tse",
        "gre",
        "spgr",
        "ffe",
        "tfe",
    ),
}
"""Words that are written as one with others: `t1post`, `precontrast`, `sagt1`, `t2flair`."""
