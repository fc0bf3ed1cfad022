import {
  AppendOnlyStreamTarget,
  EncodedAudioPacketSource,
  EncodedVideoPacketSource,
  MkvOutputFormat,
  MovOutputFormat,
  Output,
} from 'mediabunny';
import type { MediaFile, TimedPacket } from './media-file.js';
import { Pace } from './pace.js';
import type { RecorderEvents } from './recorder.js';

/** How much earlier than its time a packet is sent, in seconds: some are needed before those shown first. */
const LEAD_SECONDS = 0.3;
/** Longest message of media, in bytes: the server takes no longer ones. */
const MOST_BYTES = 256 * 1024;
/** Of a Matroska cluster or an MP4 fragment, in seconds; both end at key frames. */
const SHORTEST_PIECE_SECONDS = 0.1;

export interface FileRecordingEvents extends RecorderEvents {
  /** All of the file was handed on. */
  onRanOut(): void;
}

/** As what a file is sent: Matroska leaves packet by packet, but cannot say that pictures are to be turned. */
export function fileMimeType({ video }: MediaFile): string {
  return video.rotation === 0 ? 'video/x-matroska' : 'video/mp4';
}

/**
 * A file's own packets, none left out or encoded again, as consecutive bytes of one stream, at the file's
 * own speed.
 */
export class FileRecording {
  readonly #file: MediaFile;
  readonly #events: FileRecordingEvents;
  readonly #pace = new Pace();
  readonly #finished: Promise<void>;
  #written: Uint8Array[] = [];
  #stopped = false;

  /** @param from where to begin, in seconds of the file */
  constructor(file: MediaFile, from: number, events: FileRecordingEvents) {
    this.#file = file;
    this.#events = events;
    this.#finished = this.#run(from).catch(() => {
      if (!this.#stopped) events.onFailure();
    });
  }

  /** Ends it; resolves when its last byte has been handed out. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#pace.close();
    return this.#finished;
  }

  async #run(from: number): Promise<void> {
    const { output, add } = await this.#begin();
    const begunAt = performance.now();
    for await (const packet of this.#file.packets(from)) {
      const time = packet.packet.timestamp - LEAD_SECONDS;
      while (!this.#stopped && time > (performance.now() - begunAt) / 1000) {
        this.#handOn();
        await this.#pace.tick();
      }
      if (this.#stopped) break;
      await add(packet);
    }
    this.#pace.close();
    await output.finalize();
    this.#handOn();
    if (!this.#stopped) this.#events.onRanOut();
  }

  async #begin(): Promise<{ output: Output; add: (packet: TimedPacket) => Promise<void> }> {
    const { video, audio } = this.#file;
    const writable = new WritableStream<Uint8Array>({
      write: (bytes) => void this.#written.push(bytes),
    });
    const target = new AppendOnlyStreamTarget(writable);
    const format =
      fileMimeType(this.#file) === 'video/x-matroska'
        ? new MkvOutputFormat({ appendOnly: true, minimumClusterDuration: SHORTEST_PIECE_SECONDS })
        : new MovOutputFormat({
            fastStart: 'fragmented',
            minimumFragmentDuration: SHORTEST_PIECE_SECONDS,
          });
    const output = new Output({ format, target });
    const pictures = new EncodedVideoPacketSource(video.codec);
    output.addVideoTrack(pictures, { rotation: video.rotation });
    const sound = audio && new EncodedAudioPacketSource(audio.codec);
    if (sound) output.addAudioTrack(sound);
    await output.start();
    return {
      output,
      add: ({ kind, packet }) =>
        kind === 'audio' && audio
          ? sound!.add(packet, { decoderConfig: audio.config })
          : pictures.add(packet, { decoderConfig: video.config }),
    };
  }

  #handOn(): void {
    for (const bytes of pieces(this.#written.splice(0))) this.#events.onBytes(bytes);
  }
}

/** The bytes as one, cut where they are too many for one message. */
function pieces(written: Uint8Array[]): ArrayBuffer[] {
  const all = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of written) {
    all.set(bytes, at);
    at += bytes.length;
  }
  const count = Math.ceil(all.length / MOST_BYTES);
  return Array.from({ length: count }, (_, n) =>
    all.buffer.slice(n * MOST_BYTES, (n + 1) * MOST_BYTES),
  );
}
