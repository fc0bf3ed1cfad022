import {
  AppendOnlyStreamTarget,
  AudioSample,
  AudioSampleSource,
  Output,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';
import { KEY_FRAME_INTERVAL_MS, type RecorderEvents } from '../recorder.js';
import { joinBytes } from '../join-bytes.js';
import { ArrivalClock } from './arrival-clock.js';
import { FrameGroup } from './frame-group.js';
import type { RecordRequest } from './messages.js';
import { SteadyAudio } from './steady-audio.js';

/** Bitrate of the audio if the quality names none, in bits a second: enough for music. */
const AUDIO_BITS_PER_SECOND = 96_000;
/** Maximum frames that wait for the encoder; more are dropped, as a camera drops them. */
const MAX_WAITING_FRAMES = 8;
/** Maximum audio that waits for the video of its time, in seconds; more is left out while a camera gives nothing. */
const MAX_WAITING_AUDIO_SECONDS = 10;

/** Encodes the frames and the samples of one input stream as VP8 and Opus in WebM, and hands out batch by batch. */
export class FrameEncoder {
  private readonly events: RecorderEvents;
  private readonly output: Output;
  private readonly video: VideoSampleSource;
  private readonly audio: AudioSampleSource | undefined;
  private readonly steadyAudio = new SteadyAudio();
  private readonly group = new FrameGroup();
  private readonly stopping = new AbortController();
  private readonly done: Promise<unknown>;
  private readonly beganAt = performance.now() / 1000;
  private audioAdded: Promise<unknown> = Promise.resolve();
  private waitingFrames = 0;
  private newestFrameAt = 0;
  private unsent: Uint8Array[] = [];
  /** Timestamp up to which the video was written, in seconds: it waits for the audio of its time. */
  private writtenUntil = Infinity;
  private hasFailed = false;

  constructor(request: RecordRequest, events: RecorderEvents) {
    this.events = events;
    const write = (bytes: Uint8Array) => this.written(bytes);
    this.output = new Output({
      format: new WebMOutputFormat({ appendOnly: true }),
      target: new AppendOnlyStreamTarget(new WritableStream<Uint8Array>({ write })),
    });
    this.video = new VideoSampleSource({
      codec: 'vp8',
      bitrate: request.bitsPerSecond,
      keyFrameInterval: KEY_FRAME_INTERVAL_MS / 1000,
      latencyMode: 'realtime',
      // A phone that is turned goes on with pictures of another size.
      sizeChangeBehavior: 'passThrough',
      onEncodedPacket: ({ timestamp }) => this.group.add(timestamp),
    });
    this.output.addVideoTrack(this.video);
    if (request.audio) {
      this.writtenUntil = -Infinity;
      this.audio = new AudioSampleSource({
        codec: 'opus',
        bitrate: request.soundBitsPerSecond ?? AUDIO_BITS_PER_SECOND,
        onEncodedPacket: ({ timestamp }) => void (this.writtenUntil = timestamp),
      });
      this.output.addAudioTrack(this.audio);
    }
    this.done = this.encodeAll(request).catch(() => this.fail());
  }

  /** Ends the input stream; resolves when its last byte has been handed out. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
    await this.output.finalize().catch(() => this.fail());
    // A header alone would be an input stream that cannot be decoded.
    if (this.group.hasBegun) this.handOut();
  }

  private async encodeAll({ video, audio }: Pick<RecordRequest, 'video' | 'audio'>): Promise<void> {
    await this.output.start();
    await Promise.all([
      this.read(video, (frame, at) => this.addFrame(frame, at)),
      audio && this.read(audio, (data, at) => this.addAudio(data, at)),
    ]);
    await this.audioAdded;
  }

  /** Reads a track until `stop`. */
  private async read<Data extends VideoFrame | AudioData>(
    track: ReadableStream<Data>,
    add: (data: Data, at: number) => void,
  ): Promise<void> {
    const clock = new ArrivalClock();
    const write = (data: Data) => {
      const time = clock.timeOf(data.timestamp / 1e6, performance.now() / 1000);
      if (time === undefined) data.close();
      else add(data, Math.max(0, time - this.beganAt));
    };
    const { signal } = this.stopping;
    try {
      await track.pipeTo(new WritableStream({ write }), { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private addFrame(frame: VideoFrame, timestamp: number): void {
    this.newestFrameAt = timestamp;
    if (this.waitingFrames >= MAX_WAITING_FRAMES) return frame.close();
    this.waitingFrames++;
    const sample = new VideoSample(frame, { timestamp });
    void this.video
      .add(sample)
      .catch(() => this.fail())
      .finally(() => {
        this.waitingFrames--;
        sample.close();
      });
    if (this.audio) this.addSamples(this.steadyAudio.until(timestamp));
  }

  private addAudio(data: AudioData, timestamp: number): void {
    const waitsTooLong = timestamp > this.newestFrameAt + MAX_WAITING_AUDIO_SECONDS;
    if (waitsTooLong) return data.close();
    this.addSamples(this.steadyAudio.from(new AudioSample(data), timestamp));
  }

  private addSamples(samples: AudioSample[]): void {
    for (const sample of samples)
      this.audioAdded = this.audioAdded
        .then(() => this.audio?.add(sample))
        .catch(() => this.fail())
        .finally(() => sample.close());
  }

  private written(bytes: Uint8Array): void {
    this.unsent.push(bytes);
    if (this.group.takeWhole(this.writtenUntil)) this.handOut();
  }

  private handOut(): void {
    const { buffer } = joinBytes(this.unsent.splice(0));
    if (buffer.byteLength > 0) this.events.onBytes(buffer);
  }

  private fail(): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.events.onFailure();
  }
}
