import { execFile } from 'node:child_process';
import {
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processesUnder } from './processes.js';

const run = promisify(execFile);

/** File system types without a disk behind them. */
const NO_DISK =
  /^(tmpfs|ramfs|devtmpfs|devpts|proc|sysfs|cgroup2?|mqueue|hugetlbfs|securityfs|debugfs|tracefs|pstore|bpf|fusectl|configfs|nsfs|binfmt_misc|autofs|rpc_pipefs|squashfs|iso9660)$/;
/** Types of statfs(2) of memory file systems: tmpfs and ramfs. */
const MEMORY = [0x01021994, 0x858458f6];
const BLOCK_BYTES = 8 * 1024 * 1024;
const NEEDLES = 24;
const NEEDLE_BYTES = 48;
/** Bytes by which two reads overlap: more than any needle has. */
const OVERLAP_BYTES = 256;

/** First bytes of media containers: EBML, and boxes of MP4. */
const SIGNATURES = [
  Buffer.from([0x1a, 0x45, 0xdf, 0xa3]),
  ...['ftyp', 'moof', 'mdat'].map((type) => Buffer.from(type)),
];

/** Pieces from all over some bytes, by which they can be found again. */
export function piecesOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: NEEDLES }, (_, n) => {
    const from = Math.floor(((n + 0.5) / NEEDLES) * (bytes.length - NEEDLE_BYTES));
    return bytes.subarray(from, from + NEEDLE_BYTES);
  });
}

/** Looks for media in files that were written since `begin`. */
export class TraceSearch {
  private constructor(
    private readonly directory: string,
    private readonly needles: Buffer[],
  ) {}

  /** @param needles pieces of the media, at most 256 bytes each, that occur nowhere else */
  static async begin(needles: Buffer[]): Promise<TraceSearch> {
    const directory = await mkdtemp(join(tmpdir(), 'facecast-traces-'));
    writeFileSync(join(directory, 'stamp'), '');
    return new TraceSearch(directory, needles);
  }

  /** Files on all of the machine's disks that were written since, and contain a piece of the media. */
  async onDisks(): Promise<string[]> {
    const found = await Promise.all(disks().map((disk) => this.writtenSince(disk)));
    return this.having(found.flat(), this.needles);
  }

  /** Files of a directory that contain a piece of the media. */
  async under(directory: string): Promise<string[]> {
    return this.having(await filesUnder(directory), this.needles);
  }

  /** Files of a directory that contain anything that looks like media. */
  async mediaUnder(directory: string): Promise<string[]> {
    return this.having(await filesUnder(directory), [...this.needles, ...SIGNATURES]);
  }

  /**
   * Files on a disk, also removed ones, that a process or its children have open and that contain a piece
   * of the media.
   */
  async openedBy(pid: number): Promise<string[]> {
    const pids = [pid, ...(await processesUnder(pid)).map((child) => child.pid)];
    return this.having(pids.flatMap(filesOpenedBy), this.needles);
  }

  async end(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private async writtenSince(disk: string): Promise<string[]> {
    const stamp = join(this.directory, 'stamp');
    const since = ['-xdev', '-type', 'f', '-newer', stamp, '-size', '+0', '-print0'];
    return outputOf('find', [disk, ...since]);
  }

  private async having(paths: string[], needles: Buffer[]): Promise<string[]> {
    const found = [];
    for (const path of paths) if (await has(path, needles)) found.push(path);
    return found;
  }
}

async function filesUnder(directory: string): Promise<string[]> {
  return outputOf('find', [directory, '-type', 'f', '-print0']);
}

/** Runs a program that prints names, each with a NUL after it. Files that vanish meanwhile are no failure. */
async function outputOf(program: string, args: string[]): Promise<string[]> {
  const options = { maxBuffer: 256 * 1024 * 1024 };
  const { stdout } = await run(program, args, options).catch((error: { stdout: string }) => error);
  return stdout.split('\0').filter((path) => path !== '');
}

/** Mount points of the file systems with a disk behind them. */
function disks(): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').trim().split('\n');
  return mounts
    .map((line) => line.split(' '))
    .filter(([, , type = '']) => !NO_DISK.test(type))
    .map(([, place = '']) => place.replaceAll('\\040', ' '))
    .filter((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true);
}

function filesOpenedBy(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map((fd) => `/proc/${pid}/fd/${fd}`)
      .filter(isFileOnDisk);
  } catch {
    return [];
  }
}

function isFileOnDisk(path: string): boolean {
  try {
    const isFile = readlinkSync(path).startsWith('/') && statSync(path).isFile();
    return isFile && !MEMORY.includes(statfsSync(path).type);
  } catch {
    return false;
  }
}

async function has(path: string, needles: Buffer[]): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    for (let at = 0; ; at += BLOCK_BYTES - OVERLAP_BYTES) {
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, at);
      const bytes = block.subarray(0, bytesRead);
      if (needles.some((needle) => bytes.includes(needle))) return true;
      if (bytesRead < BLOCK_BYTES) return false;
    }
  } catch {
    // It was removed, or cannot be read, as a directory.
    return false;
  } finally {
    await file.close();
  }
}
