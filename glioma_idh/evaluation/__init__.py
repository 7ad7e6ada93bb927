"""From predictions tables to numbers. Knows neither scans nor networks."""
