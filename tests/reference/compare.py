"""Asks reference readers for what this project's readers met in the same files: elements, extensions, links, filters,
directories, and where the values are.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install -r tests/reference/requirements.txt
    cargo build --release --example parts
    /tmp/reference/bin/python tests/reference/compare.py FILE...

A file of the name `labels.csv` (columns `path` and `label`) stands for the benign files that it lists. Every difference
is printed; the exit status is 1 if there is one. Only open files that you trust: the readers here are not hardened.
"""

import csv
import io
import json
import logging
import subprocess
import sys
import warnings
import zlib
from collections import Counter
from pathlib import Path

import h5py
import nibabel
import nrrd
import numpy
import pydicom
import scipy.io
import tifffile

PARTS = Path(__file__).parents[2] / "target/release/examples/parts"
# Where a map says this, it has so many rows that some were joined.
JOINED = "several parts"


def main(arguments):
    files = [file for argument in arguments for file in listed(Path(argument))]
    counted = subprocess.run([PARTS, *files], check=True, capture_output=True, text=True).stdout
    compared, agreed, unread = Counter(), Counter(), Counter()
    for line in counted.splitlines():
        report = json.loads(line)
        for layer, reader in readers(report["layers"]):
            name = reader.__name__
            try:
                expected, places = reader(content(report, layer))
            except Exception as error:
                unread[name] += 1
                print(f"{report['path']}: {name} does not read it: {type(error).__name__}: {str(error)[:150]}")
                continue
            compared[name] += 1
            met = layer["parts"] | deflated(report["layers"])
            differences = [
                f"{part}: {name} {expected.get(part, 0)}, met {met.get(part, 0)}"
                for part in PARTS_OF[name]
                if expected.get(part, 0) != met.get(part, 0)
            ]
            differences += misplaced(layer, places)
            agreed[name] += not differences
            for difference in differences:
                print(f"{report['path']} [{layer['name']}] {difference}")
    for name in sorted(compared + unread):
        print(f"{name}: {compared[name]} compared, {agreed[name]} agree, {unread[name]} not read by the reference")
    return 0 if compared == agreed else 1


def listed(path):
    if path.name != "labels.csv":
        return [path]
    with path.open() as rows:
        return [path.parent / row["path"] for row in csv.DictReader(rows) if row["label"] == "benign"]


def readers(layers):
    """The layers that a reference reader can be given: the file itself, or what one compression around it holds."""
    for layer in layers:
        packed = layer["parent"] == 0 and layers[0]["formats"] in (["gzip"], ["bzip2"])
        for known, reader in READERS.items():
            if known in layer["formats"] and (layer["parent"] is None or packed):
                yield layer, reader


def content(report, layer):
    data = Path(report["path"]).read_bytes()
    if layer["parent"] is None:
        return data
    return zlib.decompressobj(31).decompress(data)


def deflated(layers):
    """What was met in the layer that holds the data set of a deflated DICOM file."""
    return layers[1]["parts"] if len(layers) > 1 and layers[1]["name"] == "data set" else {}


def misplaced(layer, places):
    """Ranges of values by the reference that the map does not give to values."""
    if any(what == JOINED for _start, _end, _kind, what in layer["map"]):
        return
    for start, end in places:
        for row_start, row_end, kind, what in layer["map"]:
            overlaps = max(start, row_start) < min(end, row_end)
            if overlaps and kind not in ("opaque", "nested", "slack"):
                yield f"values at {start}..{end}: the map says {kind} ({what}) at {row_start}..{row_end}"
        if not layer["map"] or end > layer["map"][-1][1]:
            yield f"values at {start}..{end}: behind the end of the map"


# ---- DICOM


def of_pydicom(data):
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    counts, places = Counter(), []
    counts["element of the meta information"] = len(getattr(dataset, "file_meta", ()))
    waiting = [(dataset, "element")]
    while waiting:
        items, level = waiting.pop()
        for tag in list(items.keys()):
            raw = items.get_item(tag)
            counts[level] += 1
            value_at = getattr(raw, "value_tell", None)
            element = items[tag]
            if element.VR == "SQ":
                counts["item"] += len(element.value)
                waiting += [(item, "element of an item") for item in element.value]
            elif element.is_undefined_length and isinstance(element.value, bytes):
                counts["fragment"] += sum(1 for _ in pydicom.encaps.generate_fragments(element.value))
            elif element.tag == 0x7FE00010 and level == "element" and value_at:
                places.append((value_at, value_at + len(element.value)))
    return counts, places


# ---- NIfTI


def of_nibabel(data):
    kinds = {
        b"n+1": nibabel.nifti1.Nifti1Header,
        b"ni1": nibabel.nifti1.Nifti1PairHeader,
        b"n+2": nibabel.nifti2.Nifti2Header,
        b"ni2": nibabel.nifti2.Nifti2PairHeader,
    }
    magic = next(magic for magic in (data[344:347], data[4:7]) if magic in kinds)
    header = kinds[magic].from_fileobj(io.BytesIO(data), check=False)
    counts = Counter(extension=len(header.extensions))
    if magic.startswith(b"ni"):
        return counts, []
    start = int(header["vox_offset"])
    length = int(numpy.prod(header.get_data_shape(), dtype=object)) * header.get_data_dtype().itemsize
    return counts, [(start, start + length)]


# ---- HDF5

FILTERS = {1: "deflate", 2: "shuffle", 3: "checksum", 4: "szip", 5: "n-bit", 6: "scale-offset"}
LINKS = {h5py.HardLink: "hard link", h5py.SoftLink: "soft link", h5py.ExternalLink: "external link"}


def of_h5py(data):
    counts, places = Counter(), []
    with h5py.File(io.BytesIO(data), "r") as file:
        objects = [file["/"]]
        file.visititems(lambda _name, item: objects.append(item))
        if file.userblock_size:
            places.append((0, file.userblock_size))
        for item in objects:
            counts["attribute"] += h5py.h5a.get_num_attrs(item.id)
            if isinstance(item, h5py.Group):
                counts["group"] += 1
                counts.update(LINKS[type(item.get(name, getlink=True))] for name in item)
            elif isinstance(item, h5py.Dataset):
                counts["dataset"] += 1
                created = item.id.get_create_plist()
                filters = [created.get_filter(index)[0] for index in range(created.get_nfilters())]
                counts.update(f"{FILTERS[id]} filter" if id in FILTERS else "filter of a plug-in" for id in filters)
                counts["external file"] += created.get_external_count()
                layout = created.get_layout()
                if layout == h5py.h5d.VIRTUAL:
                    counts["virtual source"] += created.get_virtual_count()
                elif layout == h5py.h5d.CHUNKED:
                    item.id.chunk_iter(lambda chunk: places.append((chunk.byte_offset, chunk.byte_offset + chunk.size)))
                elif item.id.get_offset() is not None:
                    places.append((item.id.get_offset(), item.id.get_offset() + item.id.get_storage_size()))
            else:
                counts["committed datatype"] += 1
    return counts, places


# ---- TIFF


def of_tifffile(data):
    counts, places = Counter(), []
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        file.pages.useframes = False
        waiting = [file.pages[index] for index in range(len(file.pages))]
        while waiting:
            page = waiting.pop()
            counts["directory"] += 1
            counts["tag"] += len(page.tags)
            counts["strip or tile"] += len(page.dataoffsets)
            places += [(at, at + size) for at, size in zip(page.dataoffsets, page.databytecounts) if size]
            if page.subifds:
                waiting += list(page.pages)
            for code in (34665, 34853, 40965):
                if code in page.tags and isinstance(page.tags[code].value, dict):
                    counts["directory"] += 1
                    counts["tag"] += len(page.tags[code].value)
    return counts, places


# ---- NRRD, MATLAB, NetCDF, NumPy


def of_nrrd(data):
    file = io.BytesIO(data)
    fields = nrrd.read_header(file)
    separators = [line.split(b":=")[0] for line in data[: file.tell()].splitlines() if b":=" in line]
    is_attached = not {"data file", "datafile"} & set(fields)
    places = [(file.tell(), len(data))] if is_attached and fields["encoding"] == "raw" else []
    return Counter(field=len(fields) - len(set(separators)), key=len(separators)), places


def of_scipy_matlab(data):
    # MATLAB's functions keep their workspaces in a variable of their own, which `whosmat` leaves out.
    variables = scipy.io.loadmat(io.BytesIO(data))
    return Counter(variable=sum(1 for name in variables if name not in ("__header__", "__version__", "__globals__"))), []


def of_scipy_netcdf(data):
    file = scipy.io.netcdf_file(io.BytesIO(data), mmap=False)
    attributes = len(file._attributes) + sum(len(variable._attributes) for variable in file.variables.values())
    return Counter(dimension=len(file.dimensions), variable=len(file.variables), attribute=attributes), []


def of_numpy(data):
    file = io.BytesIO(data)
    version = numpy.lib.format.read_magic(file)
    read = numpy.lib.format.read_array_header_1_0 if version == (1, 0) else numpy.lib.format.read_array_header_2_0
    shape, _order, kind = read(file)
    length = len(data) - file.tell() if kind.hasobject else int(numpy.prod(shape, dtype=object)) * kind.itemsize
    return Counter(), [(file.tell(), file.tell() + length)]


READERS = {
    "dicom": of_pydicom,
    "nifti": of_nibabel,
    "hdf5": of_h5py,
    "tiff": of_tifffile,
    "nrrd": of_nrrd,
    "matlab": of_scipy_matlab,
    "netcdf": of_scipy_netcdf,
    "npy": of_numpy,
}

PARTS_OF = {
    "of_pydicom": ["element of the meta information", "element", "element of an item", "item", "fragment"],
    "of_nibabel": ["extension"],
    "of_h5py": ["group", "dataset", "committed datatype", "attribute", *LINKS.values()]
    + [f"{name} filter" for name in FILTERS.values()]
    + ["filter of a plug-in", "external file", "virtual source"],
    "of_tifffile": ["directory", "tag", "strip or tile"],
    "of_nrrd": ["field", "key"],
    "of_scipy_matlab": ["variable"],
    "of_scipy_netcdf": ["dimension", "variable", "attribute"],
    "of_numpy": [],
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    sys.exit(main(sys.argv[1:]))
