//! The wheel against a model.
