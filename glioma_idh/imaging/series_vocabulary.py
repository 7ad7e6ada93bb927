"""Vocabulary of file names and series descriptions, in lower case without accents."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UNKNOWN = "?"  # replaces an unknown word, which may be a patient's name
SEQUENCES = {
    "t1": ("t1", "t1w", "t1wi"),
    "t1gd": ("t1gd",),
    "t2": ("t2", "t2w", "t2wi"),
    "flair": ("flair", "sflair", "fla", "tirm", "darkfluid"),
    "rcbv": ("rcbv", "cbv"),
    "adc": ("adc", "dadc", "isoadc"),
    "dwi": (
        *("dwi", "isodwi", "ddwi", "sdwi", "dw", "dti", "diff", "diffusion", "diffusie", "diffusione", "difusion"),
        *("hardi", "trace", "tracew"),
    ),
    "dsc": ("dsc", "perf", "perfusion", "perfusie", "perfusione", "pwi"),
}  # words that name each role
T1_WEIGHTED = _words("mprage mpr bravo fspgr spgr vibe thrive ethrive tfl")  # acquisitions that are T1-weighted
NAMING = T1_WEIGHTED.union(*SEQUENCES.values())
AGENT = _words("""c ce contrast contraste contrasto kontrast kontrastmittel km gd gad gado mdc gadolinium gadolinio
    gadovist gadavist dotarem clariscan prohance magnevist omniscan multihance gadobutrol gadoterate enhanced enh
    injection inj civ pdc dtpa postcontrast kontrastu kontrastem kontrastom contrasted kontrastmittelgabe primovist
    elucirem vueway gadopiclenol gadoteridol gadobenate dota injecte injectee injected iniezione inyeccion""")
"""Contrast agents, and words for their administration."""
WITH = _words("with w mit avec con com met med plus na")
WITHOUT = _words("""without wo ohne sans sin senza sem zonder utan bez no non not kein nein none voor prima geen keine
    keinen uden uten ilman fara brez hors""")
WITHOUT_ALONE = _words("without wo ohne sans sin senza sem zonder utan bez uden uten geen")
"""The words of WITHOUT that mean "no contrast agent" at the end of a description, without naming an agent."""
BEFORE = _words("pre prae pra vor avant antes before prior ante")
AFTER = _words("post nach apres despues dopo after following tras")
PREPOSITIONS = BEFORE | AFTER | WITH | WITHOUT
NATIVE = _words("""native nativ nativa nativo natif plain unenhanced nonenhanced noncontrast precontrast nonce basale
    blanco contrastfree kontrastfrei natief noncon noncontrasted uncontrasted""")  # no contrast agent was given
UNDECIDED = _words("either optional ggf evtl eventuell eventuel bedarf needed possible if falls")
EVENT = _words("""stealth navigation nav brainlab stereo stereotactic motion op operation operativ operative operatoire
    operatorio operatief surgery surgical resection rt radiation radiotherapy radiotherapie treatment therapy therapie
    therapeutic tx rx chemo chemotherapy biopsy biopsie bestrahlung chirurgie cirugia chirurgia intervento intervention
    scan processing processed proc embolization embolisation seizure stroke gk gamma gammaknife srs srt crt rct rctx rtx
    tmz litt dbs shunt trauma ictal partum mortem fossa term contouring correction operatie operacion operazione
    operatoria quirurgico quirurgica chirurgico chirurgica chirurgical exeresis exerese resektion resectie reseccion
    resezione craniotomy craniotomie kraniotomie radiochemo radioterapia radiotherapeutique quimioterapia chemoterapia
    chemotherapie tratamiento traitement trattamento behandlung behandeling bestraling irradiation embolizacion""")
"""Events that `pre` and `post` may refer to, other than the contrast agent."""
LINKS = _words("""and und et e y en or oder ou to the of de di du del do la el i v iv mezzo medio medium produit agent
    any administration intravenous gabe single double triple half dose dosis""")  # between a preposition and its object
CONJUNCTIONS = _words("and und et e y en or oder ou")
NOT_AN_AGENT = _words("high low tissue soft transfer dual good best optimal improved unknown image grey gray white")
"""Words before `contrast` that make it the contrast of the image."""
NOT_AN_AGENT_AFTER = _words(
    "optimized optimised reference ratio adjusted resolution refused"
)  # the same, after `contrast`
GEOMETRY = _words("""ax axial axiale tra trans transversal transverse transversaal sag sagittal sagital cor coronal
    coronaal koronar kor obl oblique iso isotropic thin vol volume whole brain head kopf schadel schaedel hirn neuro
    cerveau crane cranio encefalo cerebro cabeza testa hersenen hoofd cerebrum mm images series new rpt repeat wip run
    mrt mri irm rm rmn mr tumor tumour lesion mask reg registered coreg resampled corrected bias n4 bet stripped
    skullstripped final norm normalized normalised mni space reformat cerebral gewichtet weighted pondere ponderee
    pesata gewogen image imagen auto sequence min minutes delayed late early cortex glioma hirntumor stereotaxie
    stereotaxy tilt angled""")  # orientation, region and processing; prepositions skip these words
TECHNIQUE = _words("""se tse fse frfse gre ge ir tfe ffe fl spc cube vista fs fatsat fat sat sup spir spair chess dixon
    water mt mtc grappa sense ipat asset arc clear caipi hr hires blade propeller multivane radial flow comp fc dis p2
    p3 epi ep ssh asc msh tr te ti long longtr short turbo fast spin echo gradient dl air recon deepresolve cs smart
    speed filtered unfiltered avg trim etl map nd mc fsp quick opt hd uhr fova inv inversion recovery suppressed ideal
    lava flex mpgr disco flash hyperband hypersense hypercube focus muse msde dante vfl caipirinha tgse mdixon inphase
    opposed""")  # acquisition technique; `no fs` does not refer to contrast agent
PLAIN_MASK = _words("mask maske masque mascara maschera")  # masks of an unnamed object
MASK = PLAIN_MASK | _words("seg segm segmentation segmentierung label labels roi glistrboost")
LESION = _words("lesion lasion tumor tumour tumeur tumore")
BRAIN = _words("brain brainmask")
STRIPPED = _words(
    "bet hdbet synthstrip skullstrip skullstripped stripped"
)  # a PLAIN_MASK with one of these is a brain mask
TISSUE = _words("""wm gm csf wmh ventricle ventricles ventricular hippocampus cerebellum brainstem thalamus putamen
    caudate cortex parenchyma head face skull scalp skin eye eyes air background vessel vessels tract tracts hemisphere
    sinus""")  # before `mask`: neither the lesion nor the brain
MAPS = _words("map maps karte carte mapa mappa")
OF_DIFFUSION = _words("md ad rd ak mk rk l1 l2 l3 v1 v2 v3 evals evecs")
"""Maps computed from diffusion-weighted images, if those are named too."""
T2_STAR = _words("ffe flash")  # gradient echoes: with these a T2 is a T2*
SPINE_AND_BODY = _words("""spine cspine tspine lspine cervical cervicale thoracic lumbar lombaire lombare lumbal
    zervikal cervikal dorsal sacrum sacral hws bws lws ws csp tsp lsp wirbelsaule wirbelsaeule rachis moelle columna
    colonna vertebrale vertebral wervelkolom rug cwk twk lwk myelo myelum neck hals cou cuello collo orbit orbits orbita
    orbitae orbite orbital optic pituitary hypophyse hypophysis hipofisis ipofisi sella iac iacs cai cpa
    temporomandibular tmj sinuses abdomen abdominal liver leber foie kidney pelvis pelvic becken prostate prostata
    breast mamma chest thorax cardiac heart herz shoulder schulter knee knie hip hand wrist ankle foot mrcp""")
NO_ROLE = SPINE_AND_BODY | _words("""star t2star gre swi asl cbf rcbf mtt ttp tmax eadc fa colfa dce ktrans pcasl pasl
    swan stir tof mra mrv angio phase fmri bold rest resting ciss fiesta mip subtraction sub subtr mrs csi svs
    spectroscopy pd pdw proton mp2rage inv1 inv2 t1map t2map mapping fieldmap b0map localizer localiser loc scout survey
    calibration smartbrain venobold minip anisotropy fractional exponential t1rho relaxometry relaxation molli synthetic
    syntheticmr symri magic tracto tractography fibertracking noddi dki kurtosis qsm r2star cest apt hemo haemo merge
    medic psir subtraktion substraction subtraccion soustraction sottrazione sustraccion minus difference differenz
    delta rmtt rttp pbp gbp relcbf relmtt screenshot report phantom vwi quantitative histogram""")
"""Images without a role, whatever other words there are; `gre` may also be a T1 or perfusion series."""
FILES_ALONE = _words("wm gm csf warp affine jacobian prob probability noise xfm field")
"""Results computed from a sequence, as file names have them."""
KNOWN = frozenset().union(
    *SEQUENCES.values(),
    *(T1_WEIGHTED, AGENT, WITH, WITHOUT, BEFORE, AFTER, NATIVE, UNDECIDED, EVENT, LINKS, NOT_AN_AGENT, MAPS, TISSUE),
    *(NOT_AN_AGENT_AFTER, GEOMETRY, TECHNIQUE, MASK, LESION, BRAIN, STRIPPED, OF_DIFFUSION, T2_STAR, NO_ROLE),
    FILES_ALONE,
)
SPELLINGS = {"t1n": "t1 native", "t1c": "t1gd", "t1wc": "t1gd", "wc": "with ce", "woc": "without ce", "t2f": "flair"}
SPELLINGS |= {"st1": "t1", "st1w": "t1", "st2": "t2", "st2w": "t2"}  # abbreviations of data sets and manufacturers
START = (
    _words("""pre post non no wo without ohne sans sin senza zonder with mit avec con met vor nach ce contrast
    contraste contrasto mdc gd gad gado km kontrast""")
)  # beginnings of compound words: `precontrast`, `preop`, `ohneKM`
PIECES = START | frozenset(word for word in EVENT if len(word) > 4)
PIECES |= _words("""t1 t1w t1wi t2 t2w t2wi flair mprage mpr dwi perf diff adc star map enhanced unenhanced native nativ
    op rt ax axial sag cor tra fs se tse gre spgr ffe tfe""")
"""Parts of compound words: `t1post`, `precontrast`, `sagt1`, `t2flair`."""
