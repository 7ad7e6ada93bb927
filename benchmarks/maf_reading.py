"""Time reading the IDH status from a MAF with two million rows: python benchmarks/maf_reading.py [--rows N]

Writes a MAF as wide as the GDC's (120 columns, 1.1 kB per row) to a temporary folder, uncompressed and gzipped, and
reads both.
"""

import argparse
import gzip
import random
import resource
import tempfile
import time
from pathlib import Path

from glioma_idh.cohorts.tcga import idh_from_variants

COLUMNS = ["Hugo_Symbol", *(f"c{n}" for n in range(3)), "Chromosome", "Start_Position", *(f"d{n}" for n in range(2))]
COLUMNS += ["Variant_Classification", "Variant_Type", "Reference_Allele", "Tumor_Seq_Allele1", "Tumor_Seq_Allele2"]
COLUMNS += ["dbSNP_RS", "dbSNP_Val_Status", "Tumor_Sample_Barcode", *(f"e{n}" for n in range(20)), "HGVSp_Short"]
COLUMNS += [*(f"f{n}" for n in range(120 - len(COLUMNS) - 2)), "case_id", "callers"]
CALLERS = ("muse;mutect2;varscan2", "mutect2", "muse;mutect2;somaticsniper;varscan2", "varscan2")


def rows(number: int, seed: int = 0):
    """Yield the header and the rows; every thousandth row is IDH1 R132H."""
    draw = random.Random(seed)
    yield "\t".join(COLUMNS) + "\n"
    filling = [f"{draw.getrandbits(30):08x}" for _ in COLUMNS]
    for n in range(number):
        cells = dict(zip(COLUMNS, filling, strict=True))
        cells |= {"Hugo_Symbol": f"GENE{n % 19000}", "Chromosome": "chr1", "Start_Position": str(draw.getrandbits(27))}
        cells |= {"Variant_Classification": "Silent", "Reference_Allele": "C", "Tumor_Seq_Allele2": "T"}
        cells |= {"Tumor_Sample_Barcode": f"TCGA-{n % 89 + 10}-{n % 991 + 1000}-01A-11D-1490-08", "HGVSp_Short": "p.="}
        cells |= {"callers": CALLERS[n % 4]}
        if n % 1000 == 0:
            cells |= {"Hugo_Symbol": "IDH1", "Chromosome": "chr2", "Start_Position": "208248388"}
            cells |= {"Variant_Classification": "Missense_Mutation", "HGVSp_Short": "p.R132H"}
        yield "\t".join(cells[name] for name in COLUMNS) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    number = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder, "plain.maf"), Path(folder, "packed.maf.gz")
        with open(plain, "w") as file, gzip.open(packed, "wt", compresslevel=1) as gzipped:
            for row in rows(number):
                file.write(row)
                gzipped.write(row)
        for path in (plain, packed):
            start = time.perf_counter()
            status, _, _ = idh_from_variants([path])
            seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            found = f"{path.stat().st_size / 1e9:.2f} GB, {len(status)} patients"
            print(f"{path.name}: {found}, {seconds:.1f} s, peak memory so far {peak:.0f} MB")


if __name__ == "__main__":
    main()
