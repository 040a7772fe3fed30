// The files of the tests, made byte by byte: each says in its name what it is.

import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";

/** A folder of samples that is removed at the end. */
export async function samples() {
  const folder = await mkdtemp(join(tmpdir(), "just-data-samples-"));
  return {
    folder,
    async put(name, bytes) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
      return path;
    },
    /** A file with these bytes at its start, then nothing but holes up to `length`. */
    async putSparse(name, bytes, length) {
      const path = join(folder, name);
      const file = await open(path, "w");
      await file.write(bytes);
      await file.truncate(length);
      await file.close();
      return path;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A NIfTI-1 volume in one file: 348 bytes of header, 4 of "no extension", then the voxels. */
export function nifti({ dimensions = [8, 8, 4], voxels = true } = {}) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  header.writeInt16LE(dimensions.length, 40);
  dimensions.forEach((size, axis) => header.writeInt16LE(size, 42 + 2 * axis));
  for (let axis = dimensions.length; axis < 7; axis += 1) header.writeInt16LE(1, 42 + 2 * axis);
  header.writeInt16LE(2, 70); // unsigned char
  header.writeInt16LE(8, 72); // bits per voxel
  for (let axis = 0; axis < 4; axis += 1) header.writeFloatLE(1, 76 + 4 * axis);
  header.writeFloatLE(352, 108); // where the voxels start
  header.writeFloatLE(1, 112);
  header.write("n+1\0", 344, "latin1");
  if (!voxels) return header;
  const count = dimensions.reduce((product, size) => product * size, 1);
  return Buffer.concat([header, Buffer.from(Array.from({ length: count }, (_, at) => (at * 7) % 251))]);
}

/** A pickle (protocol 2) that calls os.system when it is loaded. */
export function picklesSystem(command = "echo sample") {
  return Buffer.concat([
    Buffer.from([0x80, 2]),
    Buffer.from("cposix\nsystem\n", "latin1"), // GLOBAL
    Buffer.from("X", "latin1"), u32(command.length), Buffer.from(command, "latin1"), // BINUNICODE
    Buffer.from([0x85, 0x52, 0x2e]), // TUPLE1 REDUCE STOP
  ]);
}

/** A pickle of nothing but numbers in a list. */
export function picklesNumbers() {
  return Buffer.from([0x80, 2, 0x5d, 0x28, 0x4b, 1, 0x4b, 2, 0x4b, 3, 0x65, 0x2e]);
}

/** A DICOM file (explicit little endian) with a few elements; `preamble` fills the first 128 bytes. */
export function dicom({ preamble = Buffer.alloc(128), pixels = 64 } = {}) {
  const element = (group, number, vr, value) => {
    const padded = value.length % 2 ? Buffer.concat([value, Buffer.from([vr === "UI" || vr === "OB" ? 0 : 0x20])]) : value;
    const head = Buffer.alloc(["OB", "OW", "SQ", "UN"].includes(vr) ? 12 : 8);
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(number, 2);
    head.write(vr, 4, "latin1");
    if (head.length === 12) head.writeUInt32LE(padded.length, 8);
    else head.writeUInt16LE(padded.length, 6);
    return Buffer.concat([head, padded]);
  };
  const text = (words) => Buffer.from(words, "latin1");
  const short = (value) => Buffer.from([value & 255, value >> 8]);
  const meta = Buffer.concat([
    element(2, 1, "OB", Buffer.from([0, 1])),
    element(2, 2, "UI", text("1.2.840.10008.5.1.4.1.1.7")),
    element(2, 3, "UI", text("1.2.3.4.5")),
    element(2, 0x10, "UI", text("1.2.840.10008.1.2.1")),
    element(2, 0x12, "UI", text("1.2.3.4")),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const side = Math.sqrt(pixels);
  return Buffer.concat([
    Buffer.concat([preamble, Buffer.alloc(128)]).subarray(0, 128), text("DICM"),
    element(2, 0, "UL", length), meta,
    element(8, 0x16, "UI", text("1.2.840.10008.5.1.4.1.1.7")),
    element(8, 0x18, "UI", text("1.2.3.4.5")),
    element(8, 0x60, "CS", text("OT")),
    element(0x10, 0x10, "PN", text("Sample^One")),
    element(0x28, 2, "US", short(1)),
    element(0x28, 4, "CS", text("MONOCHROME2")),
    element(0x28, 0x10, "US", short(side)),
    element(0x28, 0x11, "US", short(side)),
    element(0x28, 0x100, "US", short(8)),
    element(0x28, 0x101, "US", short(8)),
    element(0x28, 0x102, "US", short(7)),
    element(0x28, 0x103, "US", short(0)),
    element(0x7fe0, 0x10, "OB", Buffer.from(Array.from({ length: pixels }, (_, at) => (at * 5) % 256))),
  ]);
}

/** The head of an ELF program for x86-64, with one program header behind it. */
export function elf() {
  const head = Buffer.alloc(120);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16); // executable
  head.writeUInt16LE(62, 18); // x86-64
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(0x400078n, 24); // entry
  head.writeBigUInt64LE(64n, 32); // program headers
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt16LE(64, 58);
  head.writeUInt32LE(1, 64); // load
  head.writeUInt32LE(5, 68); // read, execute
  head.writeBigUInt64LE(0n, 72);
  head.writeBigUInt64LE(0x400000n, 80);
  head.writeBigUInt64LE(0x400000n, 88);
  head.writeBigUInt64LE(120n, 96);
  head.writeBigUInt64LE(120n, 104);
  head.writeBigUInt64LE(0x1000n, 112);
  return head;
}

/** A ZIP archive of these files. */
export function zip(files) {
  const locals = [];
  const directory = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const stored = packed.length >= bytes.length;
    const body = stored ? bytes : packed;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(stored ? 0 : 8, 4);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc32OfBytes(bytes), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fields, Buffer.from(name), body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0", "latin1"), fields, rest, Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(locals.length, 8);
  end.writeUInt16LE(locals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, central, end]);
}

/** A tar archive of these files. */
export function tar(files) {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const head = Buffer.alloc(512);
    head.write(name, 0, "latin1");
    head.write("0000644\0", 100, "latin1");
    head.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
    head.write(`${"0".repeat(11)}\0${" ".repeat(8)}0`, 136, "latin1");
    head.write("ustar\x0000", 257, "latin1");
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** A gzip stream. */
export function gzip(bytes) {
  return gzipSync(bytes);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function crc32OfBytes(bytes) {
  if (crc32) return crc32(bytes) >>> 0;
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
