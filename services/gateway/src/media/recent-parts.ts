import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Maximum bytes of parts in memory: some seconds of all sessions that one gateway can serve. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Viewers who are live want a part within this. What is deleted is answered from memory for as long. */
const KEPT_MS = 1_000;

/** A part, and what caches know it by. */
export interface Part {
  bytes: Buffer;
  etag: string;
}

/**
 * Parts of the HLS volume, each read once for all viewers who request it at the same time. A published part
 * never changes, so a copy needs no check.
 */
export class RecentParts {
  /** Oldest first. */
  private readonly parts = new Map<string, { part: Part; readAt: number }>();
  private readonly reading = new Map<string, Promise<Part>>();
  private size = 0;

  constructor(
    private readonly most = MAX_BYTES,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Bytes that are kept at the moment. */
  get bytes(): number {
    return this.size;
  }

  /** The file. @throws what `readFile` throws, and keeps nothing of it */
  async read(path: string): Promise<Part> {
    this.forgetOld();
    const known = this.parts.get(path)?.part ?? this.reading.get(path);
    if (known) return known;
    const reading = this.load(path);
    this.reading.set(path, reading);
    return reading;
  }

  private async load(path: string): Promise<Part> {
    try {
      const bytes = await readFile(path);
      const part = { bytes, etag: etagOf(bytes) };
      this.parts.set(path, { part, readAt: this.now() });
      this.size += bytes.length;
      this.forgetOld();
      // Also if nobody asks for another one.
      setTimeout(() => this.forgetOld(), KEPT_MS + 1).unref();
      return part;
    } finally {
      this.reading.delete(path);
    }
  }

  private forgetOld(): void {
    for (const [path, { part, readAt }] of this.parts) {
      if (this.size <= this.most && this.now() - readAt <= KEPT_MS) return;
      this.parts.delete(path);
      this.size -= part.bytes.length;
    }
  }
}

/** By its content: a segmenter that takes over may write an unlisted part anew, under the same name. */
function etagOf(bytes: Buffer): string {
  return `"${createHash('sha1').update(bytes).digest('base64url')}"`;
}
