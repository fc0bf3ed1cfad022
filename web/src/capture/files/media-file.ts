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
  type VideoSample,
} from 'mediabunny';
import { readEditLists, type ShownTimes } from './edit-lists.js';
import { encodedAgain, type EncodedAgain } from './encoded-again.js';
import { mainVideo } from './main-tracks.js';
import { areShownAlone, heardPackets, shownPictures } from './shown-packets.js';

/** One of a file's tracks: its codec, its packets, and which of them are shown. */
interface FileTrack<Codec, Config> {
  codec: Codec;
  config: Config;
  packets: EncodedPacketSink;
  shown: ShownTimes;
}
export type FileVideo = FileTrack<VideoCodec, VideoDecoderConfig> & {
  rotation: Rotation;
  /** Set if its packets cannot be sent as they are. */
  encodedAgain: EncodedAgain | undefined;
};
export type FileAudio = FileTrack<AudioCodec, AudioDecoderConfig>;

/** A packet of either track, or a picture that is to be encoded, at its time within what was begun, in seconds. */
export type TimedMedia =
  | { kind: 'video'; media: EncodedPacket }
  | { kind: 'audio'; media: EncodedPacket }
  | { kind: 'picture'; media: VideoSample };

type TrackMedia = AsyncGenerator<TimedMedia, void, undefined>;
type EditLists = Awaited<ReturnType<typeof readEditLists>>;

/** A media file on this computer, whose packets can be read one by one, wherever its index is. */
export class MediaFile {
  private readonly input: Input;
  private readonly loop: boolean;
  readonly video: FileVideo;
  readonly audio: FileAudio | undefined;

  private constructor(
    input: Input,
    loop: boolean,
    { video, audio }: { video: FileVideo; audio: FileAudio | undefined },
  ) {
    this.input = input;
    this.loop = loop;
    this.video = video;
    this.audio = audio;
  }

  /**
   * Opens a file; resolves to undefined if it is no media, has no video, or its container or codec is not
   * supported.
   */
  static async open(
    file: Blob,
    { loop, withSound }: { loop: boolean; withSound: boolean },
  ): Promise<MediaFile | undefined> {
    const formats = [MP4, QTFF, MATROSKA, WEBM];
    const input = new Input({ source: new BlobSource(file), formats });
    try {
      const edits = await readEditLists(file);
      const video = await readVideo(await mainVideo(input), edits);
      const sound = withSound ? await input.getPrimaryAudioTrack() : null;
      const audio = sound ? await readAudio(sound, edits) : undefined;
      // If the audio cannot be sent, the whole file is sent in another way.
      if (video && (audio || !sound)) return new MediaFile(input, loop, { video, audio });
    } catch {
      // The file cannot be read here.
    }
    input.dispose();
    return undefined;
  }

  close(): void {
    this.input.dispose();
  }

  /**
   * What players show from `from` (seconds) on, or from the last key frame before it, in the order in which it is
   * to be sent; of a file that is played again and again, without an end. The first picture is at 0.
   */
  async *media(from: number): TrackMedia {
    let passed = 0;
    let begin = Math.max(from, this.video.shown.from);
    do {
      let end = passed;
      let shift: number | undefined;
      for await (const timed of this.shownFrom(begin)) {
        const { timestamp, duration } = timed.media;
        // Sound before the first picture belongs to what is not shown, or only gets a decoder going.
        shift ??= timed.kind === 'audio' ? undefined : passed - timestamp;
        if (shift === undefined || (timed.kind === 'audio' && timestamp + shift < passed)) continue;
        const at = Math.max(passed, timestamp + shift);
        end = Math.max(end, at + duration);
        yield moved(timed, at);
      }
      if (end <= passed) return;
      passed = end;
      begin = this.video.shown.from;
    } while (this.loop);
  }

  /** From a time to the file's end, both tracks side by side. */
  private async *shownFrom(time: number): TrackMedia {
    const { packets, shown, encodedAgain: again } = this.video;
    const key = again ? null : await firstPacket(packets, time);
    const tracks: TrackMedia[] = [
      again
        ? ofKind('picture', again.pictures(time))
        : ofKind('video', shownPictures(packets.packets(key ?? undefined), shown)),
    ];
    if (this.audio) {
      const { packets, shown } = this.audio;
      const heard = (await packets.getPacket(key?.timestamp ?? time)) ?? undefined;
      tracks.push(ofKind('audio', heardPackets(packets.packets(heard), shown)));
    }
    yield* inOrder(tracks);
  }
}

async function readVideo(
  track: InputVideoTrack | null,
  edits: EditLists,
): Promise<FileVideo | undefined> {
  const [codec, config] = [await track?.getCodec(), await track?.getDecoderConfig()];
  const shown = track && shownTimes(track.id, edits);
  if (!track || !shown || !codec || !config) return undefined;
  const packets = new EncodedPacketSink(track);
  const asItIs = { codec, config, packets, shown, rotation: await track.getRotation() };
  if (!(await track.getFlip()) && (await areShownAlone(packets, shown)))
    return { ...asItIs, encodedAgain: undefined };
  const again = await encodedAgain(track, shown);
  // It is rotated when it is encoded.
  return again && { ...asItIs, codec: again.encoding.codec, rotation: 0, encodedAgain: again };
}

async function readAudio(track: InputAudioTrack, edits: EditLists): Promise<FileAudio | undefined> {
  const [codec, config] = [await track.getCodec(), await track.getDecoderConfig()];
  const shown = shownTimes(track.id, edits);
  return codec && config && shown
    ? { codec, config, packets: new EncodedPacketSink(track), shown }
    : undefined;
}

/** Undefined if a track is shown in pieces, of which Mediabunny knows only the first. */
function shownTimes(id: number, edits: EditLists): ShownTimes | undefined {
  const shown = edits.get(id) ?? { from: 0, until: Infinity };
  return shown === 'pieces' ? undefined : shown;
}

/** The last key frame before a time, or what the track begins with. */
async function firstPacket(packets: EncodedPacketSink, time: number) {
  return (await packets.getKeyPacket(time)) ?? (await packets.getFirstPacket());
}

async function* ofKind<Kind extends TimedMedia['kind'], Media>(
  kind: Kind,
  track: AsyncGenerator<Media, void, undefined>,
): AsyncGenerator<{ kind: Kind; media: Media }, void, undefined> {
  for await (const media of track) yield { kind, media };
}

/** The same at another time, in seconds. */
function moved(timed: TimedMedia, timestamp: number): TimedMedia {
  if (timed.kind !== 'picture') return { ...timed, media: timed.media.clone({ timestamp }) };
  timed.media.setTimestamp(timestamp);
  return timed;
}

/** What several tracks bring: of that which comes next, the earliest first. */
async function* inOrder(tracks: TrackMedia[]): TrackMedia {
  const read = async (track: TrackMedia) => (await track.next()).value ?? undefined;
  const heads: (TimedMedia | undefined)[] = [];
  try {
    for (const track of tracks) heads.push(await read(track));
    for (;;) {
      const times = heads.map((head) => head?.media.timestamp ?? Infinity);
      const n = times.indexOf(Math.min(...times));
      const [track, head] = [tracks[n], heads[n]];
      if (!track || !head) return;
      heads[n] = undefined;
      yield head;
      heads[n] = await read(track);
    }
  } finally {
    for (const head of heads) if (head?.kind === 'picture') head.media.close();
    await Promise.all(tracks.map((track) => track.return()));
  }
}
