"""ADC maps: `gradients` handles b-values and directions, `undirected` volumes without a direction, `adc` computes the
map from a diffusion-weighted series, and `scanner_adc` converts the unit of a map from the scanner."""
