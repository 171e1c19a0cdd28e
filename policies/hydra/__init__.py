"""What Hydra and OmegaConf do with a bundle, told from its text: entry points, composition, data flow."""
