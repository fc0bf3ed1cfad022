import {
  BlobSource,
  EncodedPacketSink,
  Input,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
  type AudioCodec,
  type EncodedPacket,
  type InputAudioTrack,
  type InputVideoTrack,
  type Rotation,
  type VideoCodec,
} from 'mediabunny';

/** One of a file's tracks: what its packets are, and where they are read. */
interface Track<Codec, Config> {
  codec: Codec;
  config: Config;
  packets: EncodedPacketSink;
}
export type VideoTrack = Track<VideoCodec, VideoDecoderConfig> & { rotation: Rotation };
export type AudioTrack = Track<AudioCodec, AudioDecoderConfig>;

/** A packet of either track, at its time within what was begun, in seconds. */
export interface TimedPacket {
  kind: 'video' | 'audio';
  packet: EncodedPacket;
}

/** A media file on this computer of which single packets can be read, wherever its index stands. */
export class MediaFile {
  private readonly input: Input;
  private readonly loop: boolean;
  readonly video: VideoTrack;
  readonly audio: AudioTrack | undefined;

  private constructor(
    input: Input,
    loop: boolean,
    { video, audio }: { video: VideoTrack; audio: AudioTrack | undefined },
  ) {
    this.input = input;
    this.loop = loop;
    this.video = video;
    this.audio = audio;
  }

  /** Undefined where it is none, has no picture, or is in a container or codec that nobody here knows. */
  static async open(
    file: Blob,
    { loop, withSound }: { loop: boolean; withSound: boolean },
  ): Promise<MediaFile | undefined> {
    const formats = [MP4, QTFF, MATROSKA, WEBM];
    const input = new Input({ source: new BlobSource(file), formats });
    try {
      const video = await readVideo(await input.getPrimaryVideoTrack());
      const sound = withSound ? await input.getPrimaryAudioTrack() : null;
      const audio = sound ? await readAudio(sound) : undefined;
      // Rather all of it by another way than the picture alone.
      if (video && (audio || !sound)) return new MediaFile(input, loop, { video, audio });
    } catch {
      // Whatever it is, it is nothing that could be read here.
    }
    input.dispose();
    return undefined;
  }

  close(): void {
    this.input.dispose();
  }

  /**
   * The packets from the last key frame before `from` (seconds) on, in the order in which they are to be
   * sent; of a file that is played again and again, without an end. The first picture is at 0.
   */
  async *packets(from: number): AsyncGenerator<TimedPacket, void, undefined> {
    const { packets } = this.video;
    let first = (await packets.getKeyPacket(from)) ?? (await packets.getFirstPacket());
    let passed = 0;
    while (first) {
      let end = passed;
      const shift = passed - first.timestamp;
      for await (const { kind, packet } of this.packetsFrom(first)) {
        const timestamp = packet.timestamp + shift;
        // Sound before it belongs to what is not shown, or only gets a decoder going.
        if (kind === 'audio' && timestamp < passed) continue;
        end = Math.max(end, timestamp + packet.duration);
        yield { kind, packet: packet.clone({ timestamp: Math.max(passed, timestamp) }) };
      }
      first = this.loop && end > passed ? await packets.getFirstPacket() : null;
      passed = end;
    }
  }

  /** From a packet of the picture to the file's end, both tracks side by side. */
  private async *packetsFrom(first: EncodedPacket): AsyncGenerator<TimedPacket, void, undefined> {
    const tracks: PacketsOfTrack[] = [
      { kind: 'video', packets: this.video.packets.packets(first) },
    ];
    if (this.audio) {
      const { packets } = this.audio;
      const heard = (await packets.getPacket(first.timestamp)) ?? undefined;
      tracks.push({ kind: 'audio', packets: packets.packets(heard) });
    }
    yield* inOrder(tracks);
  }
}

async function readVideo(track: InputVideoTrack | null): Promise<VideoTrack | undefined> {
  const [codec, config] = [await track?.getCodec(), await track?.getDecoderConfig()];
  if (!track || !codec || !config) return undefined;
  const rotation = await track.getRotation();
  return { codec, config, rotation, packets: new EncodedPacketSink(track) };
}

async function readAudio(track: InputAudioTrack): Promise<AudioTrack | undefined> {
  const [codec, config] = [await track.getCodec(), await track.getDecoderConfig()];
  return codec && config ? { codec, config, packets: new EncodedPacketSink(track) } : undefined;
}

interface PacketsOfTrack {
  kind: TimedPacket['kind'];
  packets: AsyncGenerator<EncodedPacket, void, unknown>;
}

/** The packets of several tracks: of those that come next, the earliest first. */
async function* inOrder(tracks: PacketsOfTrack[]): AsyncGenerator<TimedPacket, void, undefined> {
  const read = async ({ kind, packets }: PacketsOfTrack): Promise<TimedPacket | undefined> => {
    const next = await packets.next();
    return next.done ? undefined : { kind, packet: next.value };
  };
  try {
    const heads = await Promise.all(tracks.map(read));
    for (;;) {
      const times = heads.map((head) => head?.packet.timestamp ?? Infinity);
      const n = times.indexOf(Math.min(...times));
      const [track, head] = [tracks[n], heads[n]];
      if (!track || !head) return;
      yield head;
      heads[n] = await read(track);
    }
  } finally {
    await Promise.all(tracks.map(({ packets }) => packets.return()));
  }
}
