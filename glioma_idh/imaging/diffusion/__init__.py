"""ADC from diffusion-weighted series: `gradients` (b-values, directions), `undirected` (volumes without a direction),
`adc` (the map, from the logarithm of the signal), `scanner_adc` (a map from elsewhere, and its unit)."""
