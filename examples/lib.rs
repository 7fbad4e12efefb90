//! Nothing: the examples of this folder are programs of their own.
