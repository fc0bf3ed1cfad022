import { OwnedProcess } from '@facecast/shared/runtime/child-process';
import { CHANNELS, SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';
import type { Container } from '../demux/container.js';
import type { StallLimits } from '../video/video-decoder.js';
import type { Interruption } from '../decode-failure.js';
import { readFrameTimestamps } from '../ffmpeg/frame-timestamps.js';
import { StallWatchdog } from '../ffmpeg/stall-watchdog.js';

/** Samples in one block of ffmpeg's output: 10 ms. */
const BLOCK_SAMPLES = SAMPLE_RATE / 100;
const BLOCK_BYTES = BLOCK_SAMPLES * SAMPLE_BYTES;
/** With this many unread bytes of input, ffmpeg counts as hung. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** File descriptor on which ffmpeg writes each block's timestamp before the block. */
const NOTES_FD = 3;

/**
 * One ffmpeg that decodes the audio of an input stream: container bytes in, blocks of samples
 * (`media/audio.ts` in shared) with their timestamps out. Writing to it never waits, so that a failure of
 * the audio never delays the video.
 */
export class AudioDecoder {
  /** Resolves when no more audio comes: to the reason if ffmpeg died or hung. Never rejects. */
  readonly ended: Promise<Interruption | undefined>;
  private readonly ffmpeg: OwnedProcess;
  private writing = Promise.resolve();
  private unread = 0;
  private readonly watch: StallWatchdog;
  /** Whether any audio was decoded. */
  hasOutput = false;
  private isHung = false;

  /**
   * @param onBlock called for each block with its timestamp in microseconds (NaN if unknown) and its samples;
   *   until it resolves, ffmpeg's output is not taken
   */
  constructor(
    container: Container,
    stallLimits: StallLimits,
    private readonly onBlock: (time: number, samples: Buffer) => Promise<void> | undefined,
  ) {
    this.ffmpeg = new OwnedProcess('ffmpeg', audioArguments(container), { notes: true });
    this.watch = new StallWatchdog(
      () => this.pid,
      () => (this.hasOutput ? stallLimits.stallMs : stallLimits.firstFrameMs),
      () => this.hung(),
    );
    // `close` in the middle of a line makes the read fail.
    this.ended = this.read()
      .catch(() => {})
      .then(() => this.loss());
  }

  get pid(): number | undefined {
    return this.ffmpeg.pid;
  }

  /** Queues bytes for ffmpeg. @param audioPackets how many audio packets begin in them, if known */
  write(bytes: Buffer, audioPackets: number): void {
    this.unread += bytes.length;
    if (this.unread > MAX_UNREAD_BYTES) return this.hung();
    this.writing = this.writing.then(async () => {
      this.watch.gave(audioPackets);
      this.watch.blocks(true);
      await this.ffmpeg.write(bytes);
      this.watch.blocks(false);
      this.unread -= bytes.length;
    });
  }

  /** Ends the input: ffmpeg decodes what it has and exits. */
  endInput(): void {
    void this.writing.then(() => this.ffmpeg.endInput());
  }

  /** Kills ffmpeg. May be called again. */
  close(): void {
    this.watch.close();
    void this.ffmpeg.close();
    this.ffmpeg.notes.destroy();
  }

  private hung(): void {
    this.isHung = true;
    this.close();
  }

  private async read(): Promise<void> {
    const notes = readFrameTimestamps(this.ffmpeg.notes);
    const give = async (samples: Buffer) => {
      const note = await notes.next();
      const taken = note.done ? undefined : this.onBlock(note.value.time, samples);
      if (!taken) return;
      this.watch.hold();
      await taken;
      this.watch.release();
    };
    let rest: Buffer = Buffer.alloc(0);
    for await (const bytes of this.ffmpeg.stdout) {
      this.hasOutput = true;
      this.watch.got();
      rest = Buffer.concat([rest, bytes as Buffer]);
      let at = 0;
      for (; rest.length - at >= BLOCK_BYTES; at += BLOCK_BYTES)
        await give(rest.subarray(at, at + BLOCK_BYTES));
      rest = rest.subarray(at);
    }
    if (rest.length > 0) await give(rest);
  }

  private async loss(): Promise<Interruption | undefined> {
    this.ffmpeg.notes.destroy();
    const { code, closedByUs } = await this.ffmpeg.exited;
    this.watch.close();
    if (this.isHung) return 'sound_stalled';
    return code === null && !closedByUs ? 'sound_died' : undefined;
  }
}

function audioArguments(container: Container): string[] {
  const input = ['-f', container, '-protocol_whitelist', 'pipe', '-nofind_stream_info'];
  const format = `aresample=${SAMPLE_RATE},aformat=sample_fmts=s16:channel_layouts=stereo`;
  // Blocks without metadata are not printed; AVTB makes timestamps whole microseconds.
  const note = `asettb=AVTB,ametadata=add:key=t:value=1,ametadata=print:key=t:file=pipe\\\\:${NOTES_FD}:direct=1`;
  const filters = `${format},asetnsamples=n=${BLOCK_SAMPLES}:p=0,${note}`;
  return ['-hide_banner', '-loglevel', 'warning', '-nostats', '-nostdin'].concat(
    [...input, '-threads', '1', '-i', 'pipe:0', '-map', '0:a:0', '-copyts', '-af', filters],
    ['-f', 's16le', '-ac', `${CHANNELS}`, '-flush_packets', '1', 'pipe:1'],
  );
}
