import { OwnedProcess } from '@facecast/shared/runtime/child-process';
import { RunnableTimer } from '@facecast/shared/runtime/runnable-timer';

/** An encoder died, hung or wrote nonsense. `lastLines`: the end of its stderr. */
export class EncoderFailure extends Error {
  constructor(
    message: string,
    readonly lastLines: string[],
  ) {
    super(message);
    this.name = 'EncoderFailure';
  }
}

/** An encoder hangs if it could have run for this long, in milliseconds, without output. */
const MAX_SILENCE_MS = 3_000;

/** Command line options of ffmpeg by name, without the dash. */
export type FfmpegOptions = Record<string, string>;

/** A kept-alive ffmpeg: raw media in, encoded units (pictures, AAC frames) out. */
export class FfmpegProcess<Unit> {
  private readonly process: OwnedProcess;
  private dead = false;
  private readonly silence: RunnableTimer;
  private units: Unit[] = [];
  private wanted: { units: number; done: () => void; failed: (why: string) => void } | undefined;

  /**
   * @param raw input options
   * @param encoded output options
   * @param demux returns the units that further bytes of output complete; may throw
   */
  constructor(
    raw: FfmpegOptions,
    encoded: FfmpegOptions,
    private readonly demux: (bytes: Buffer) => Unit[],
  ) {
    const input = flags({ ...raw, ...NO_PROBING, i: 'pipe:0' });
    const output = flags({ ...encoded, flush_packets: '1' });
    const args = ['-hide_banner', '-loglevel', 'warning', ...input, ...output, 'pipe:1'];
    this.process = new OwnedProcess('ffmpeg', args);
    this.silence = new RunnableTimer(
      () => this.process.pid,
      () => this.wanted?.failed(`the encoder said nothing for ${MAX_SILENCE_MS} ms`),
    );
    this.process.stdout.on('data', (bytes: Buffer) => this.receive(bytes));
    void this.process.exited.then(() => {
      this.dead = true;
      this.wanted?.failed(DIED);
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /**
   * Writes `input` and resolves to the `count` units that it completes. One call at a time.
   * @throws {EncoderFailure} after which the process can only be closed
   */
  async exchange(input: Uint8Array, count: number): Promise<Unit[]> {
    try {
      await this.writeAndWait(input, count);
    } catch (error) {
      const { lastLines } = await this.process.close();
      throw new EncoderFailure((error as Error).message, lastLines);
    }
    return this.units.splice(0);
  }

  /** Kills the process at once. May be called again. */
  async close(): Promise<void> {
    await this.process.close();
  }

  private writeAndWait(input: Uint8Array, count: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.silence.start(MAX_SILENCE_MS);
      const settle = () => {
        this.silence.stop();
        this.wanted = undefined;
      };
      this.wanted = {
        units: count,
        done: () => (settle(), resolve()),
        failed: (why) => (settle(), reject(new Error(why))),
      };
      if (this.dead) return this.wanted.failed(DIED);
      void this.process.write(input);
      this.check();
    });
  }

  private receive(bytes: Buffer): void {
    try {
      this.units.push(...this.demux(bytes));
    } catch (error) {
      this.wanted?.failed((error as Error).message);
      return;
    }
    this.check();
  }

  private check(): void {
    if (this.wanted && this.units.length >= this.wanted.units) this.wanted.done();
  }
}

const DIED = 'the encoder died';

/** Raw media needs no probing, which would delay it. */
const NO_PROBING = { probesize: '32', analyzeduration: '0', protocol_whitelist: 'pipe' };

function flags(options: FfmpegOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]);
}
