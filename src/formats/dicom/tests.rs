//! Whole files, evil ones and their look-alikes.
