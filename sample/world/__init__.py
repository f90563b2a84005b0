"""The maker of the sample world: 120 days of real YouTube curves, simulated creators and one brand's campaigns."""
