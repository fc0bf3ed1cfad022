import { readFile } from 'node:fs/promises';

/** Bytes of parts kept in memory: some seconds of all the sessions that one gateway can serve. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Viewers who are live want a part within this; nothing outlives its session by more. */
const KEPT_MS = 5_000;

/**
 * Parts as they are on disk, each read once for all the viewers who want it in the same instant.
 * A published part never changes, so a copy needs no check.
 */
export class RecentParts {
  /** Oldest first. */
  private readonly parts = new Map<string, { bytes: Buffer; readAt: number }>();
  private readonly reading = new Map<string, Promise<Buffer>>();
  private size = 0;

  constructor(
    private readonly most = MAX_BYTES,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The file's bytes. @throws what `readFile` throws, and keeps nothing of it */
  async read(path: string): Promise<Buffer> {
    this.forgetOld();
    const known = this.parts.get(path)?.bytes ?? this.reading.get(path);
    if (known) return known;
    const reading = this.load(path);
    this.reading.set(path, reading);
    return reading;
  }

  private async load(path: string): Promise<Buffer> {
    try {
      const bytes = await readFile(path);
      this.parts.set(path, { bytes, readAt: this.now() });
      this.size += bytes.length;
      this.forgetOld();
      return bytes;
    } finally {
      this.reading.delete(path);
    }
  }

  private forgetOld(): void {
    for (const [path, { bytes, readAt }] of this.parts) {
      if (this.size <= this.most && this.now() - readAt <= KEPT_MS) return;
      this.parts.delete(path);
      this.size -= bytes.length;
    }
  }
}
