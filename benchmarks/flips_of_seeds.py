"""AUC of several seeds of SGPNet, each scored with the eight flips of the input: the README's row of their mean.

    python benchmarks/flips_of_seeds.py RUN_DIR RUN_DIR RUN_DIR

Each is a finished run of disjoint folds on the same patients. A patient's score is the mean, over the runs, of that
run's one network that did not train on the patient.
"""

import argparse
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.evaluation.intervals import auc_estimate
from glioma_idh.sgp3d.predict import Prediction, predict


def out_of_fold(run_dir: Path) -> pd.DataFrame:
    """Label and score of each subject from the network that was tested on it, averaged over the flips, by subject."""
    cohort = run_dir / "cohort.csv"
    wanted = Prediction(run_dir, cohort=str(cohort), all_visits=True, flips=True, out=run_dir / "flips")
    scores, splits = predict(wanted).set_index("subject"), runs.read_table(run_dir / "splits.csv")
    places = {split: number for number, split in enumerate(runs.list_splits(splits), start=1)}
    tested = splits[splits["part"] == "test"]
    own = {
        row.subject: scores.loc[row.subject, f"score_{places[row.repeat, row.split]}"] for row in tested.itertuples()
    }
    if len(own) < len(tested):
        raise SystemExit(f"{run_dir} tests patients several times: name runs of disjoint folds.")
    labels = runs.read_table(cohort).set_index("subject")["idh"]
    return pd.DataFrame({"truth": labels[list(own)].astype(int), "score": pd.Series(own)})


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dirs", nargs="+", type=Path, metavar="RUN_DIR")
    by_run = [out_of_fold(run_dir) for run_dir in parser.parse_args().run_dirs]
    scores = pd.concat([table["score"] for table in by_run], axis=1)
    if scores.isna().any(axis=None):
        raise SystemExit("The runs do not test the same patients.")
    auc = auc_estimate(by_run[0]["truth"].reindex(scores.index), scores.mean(axis=1))
    found = f"{auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f})"
    print(f"AUC of {len(by_run)} runs, flips averaged, {len(scores)} subjects: {found}")


if __name__ == "__main__":
    main()
