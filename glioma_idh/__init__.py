"""IDH genotype of gliomas from MRI: two published networks, reproduced, and an honest account of what they add.

The way the data goes, and the packages in its order:

    cohorts     who: public downloads and label sheets -> tables of subjects, their scans and their IDH status; splits
    phantom     the built-in synthetic cohort, for when no images are at hand
    imaging     what a scan is: volumes and boxes; from DICOM to registered images, brain, ADC and rCBV
    preparation from a patient's raw series to six sequences on one grid
    prepare     its command
    gbm2d       Pasquini et al. 2021: a slice CNN for glioblastoma, one sequence at a time
    sgp3d       Wang et al. 2021: SGPNet, a 3D network that segments the lesion and names the genotype
    training    what the trainings of both papers do alike, from settings to results
    papers      what a paper is to the package: its results, and where its method is told; gbm2d and sgp3d fill it
    record      run.json, which every command leaves beside its outputs
    quiet_keras Keras, loaded without TensorFlow's notes
    progress    how far a long step is: a bar at a terminal, lines in a log
    runs        the run folder: its files, and the one object that reads it
    evaluation  from predictions tables to numbers, and what they are worth
    reporting   figures, tables, and the page that holds them
    report      the report of finished runs, or of any predictions table

Conventions, everywhere: axes (i, j, k, channel) pointing right, front, top (RAS+); millimetres; lesion mask 0/1;
IDH-mutant = 1 = the positive class; boxes are (start, stop) with stop outside. Sequences are called
`t1 t1gd t2 flair rcbv adc`.
"""

import os

# TensorFlow reads this as it loads; by itself it left oneDNN off on a processor without AVX-512 (benchmarks/README.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.2.0"
