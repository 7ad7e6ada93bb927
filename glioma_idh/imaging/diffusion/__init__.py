"""ADC from diffusion-weighted series.

`gradients` (b-values and directions), `undirected` (volumes without a direction), `fit` (the logarithm of the signal),
`adc` (the map), `scanner_adc` (a map from elsewhere, and its unit).
"""
