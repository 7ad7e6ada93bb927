"""Drawing functions. Each returns a new `matplotlib.figure.Figure`, which `save_figure` writes as PNG and SVG.

Arguments that several functions have:

    predictions  predictions table with `subject, patient, repeat, split, truth, score`
    synthetic    whether subjects, or the training subjects of the networks, are synthetic; the figure then says so
    published    results printed in the paper, each (mean, standard deviation or None)

`new_figure`, `show` and `radiological` help to draw figures of your own in the same style.
"""

from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh.reporting.figures.canvas import display_name as display_name
    from glioma_idh.reporting.figures.canvas import new_figure as new_figure
    from glioma_idh.reporting.figures.canvas import save_figure as save_figure
    from glioma_idh.reporting.figures.contact_sheet import contact_sheet as contact_sheet
    from glioma_idh.reporting.figures.flow_diagram import flow_diagram as flow_diagram
    from glioma_idh.reporting.figures.forest_plots import baselines_forest as baselines_forest
    from glioma_idh.reporting.figures.forest_plots import strata_forest as strata_forest
    from glioma_idh.reporting.figures.learning_curves import learning_curves as learning_curves
    from glioma_idh.reporting.figures.performance import confusion_matrices as confusion_matrices
    from glioma_idh.reporting.figures.performance import decision_curve_figure as decision_curve_figure
    from glioma_idh.reporting.figures.performance import precision_recall_curve as precision_recall_curve
    from glioma_idh.reporting.figures.performance import reliability_diagram as reliability_diagram
    from glioma_idh.reporting.figures.pictures import slice_sheet as slice_sheet
    from glioma_idh.reporting.figures.roc_and_boxes import roc_curves as roc_curves
    from glioma_idh.reporting.figures.roc_and_boxes import roc_with_bands as roc_with_bands
    from glioma_idh.reporting.figures.roc_and_boxes import score_boxes as score_boxes
    from glioma_idh.reporting.figures.sheet import radiological as radiological
    from glioma_idh.reporting.figures.sheet import show as show

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".reporting.figures.canvas": ("display_name", "new_figure", "save_figure"),
        ".reporting.figures.contact_sheet": ("contact_sheet",),
        ".reporting.figures.flow_diagram": ("flow_diagram",),
        ".reporting.figures.forest_plots": ("baselines_forest", "strata_forest"),
        ".reporting.figures.learning_curves": ("learning_curves",),
        ".reporting.figures.performance": (
            "confusion_matrices",
            "decision_curve_figure",
            "precision_recall_curve",
            "reliability_diagram",
        ),
        ".reporting.figures.pictures": ("slice_sheet",),
        ".reporting.figures.roc_and_boxes": ("roc_curves", "roc_with_bands", "score_boxes"),
        ".reporting.figures.sheet": ("radiological", "show"),
    },
)
