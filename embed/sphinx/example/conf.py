import os, sys

# The folder with just_data.py; beside conf.py in documentation of your own.
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

project = "An example"
extensions = ["just_data", "myst_parser"]
# From the folder `element` of a release.
just_data_script = "just-data.js"
