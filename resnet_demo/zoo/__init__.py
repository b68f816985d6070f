"""Where weights come from: source -> Weights(model, preprocessing, classes, card)."""
