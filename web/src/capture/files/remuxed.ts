import {
  AppendOnlyStreamTarget,
  EncodedAudioPacketSource,
  EncodedVideoPacketSource,
  MkvOutputFormat,
  MovOutputFormat,
  Output,
  VideoSampleSource,
} from 'mediabunny';
import type { TimedBytes } from './file-stream.js';
import type { MediaFile, TimedMedia } from './media-file.js';

/** Of a Matroska cluster or an MP4 fragment, in seconds; both end at key frames. */
const MIN_PIECE_SECONDS = 0.1;

/** As what a file is sent: Matroska leaves packet by packet, but cannot say that pictures are to be turned. */
export function remuxedType({ video }: MediaFile): string {
  return video.rotation === 0 ? 'video/x-matroska' : 'video/mp4';
}

/** What players show of a file from `from` (seconds) on, in its own packets if they can be sent, as one stream. */
export async function* remuxed(
  file: MediaFile,
  from: number,
): AsyncGenerator<TimedBytes, void, undefined> {
  const written: Uint8Array[] = [];
  const { output, add } = await begin(file, (bytes) => written.push(bytes));
  try {
    let time = 0;
    for await (const timed of file.media(from)) {
      time = timed.media.timestamp;
      await add(timed);
      yield { time, bytes: written.splice(0) };
    }
    await output.finalize();
    yield { time, bytes: written.splice(0) };
  } finally {
    // Whoever does not want it to its end lets the encoder go.
    if (output.state !== 'finalized') await output.cancel();
  }
}

async function begin(
  file: MediaFile,
  write: (bytes: Uint8Array) => void,
): Promise<{ output: Output; add: (timed: TimedMedia) => Promise<void> }> {
  const { video, audio } = file;
  const target = new AppendOnlyStreamTarget(new WritableStream<Uint8Array>({ write }));
  const format =
    remuxedType(file) === 'video/x-matroska'
      ? new MkvOutputFormat({ appendOnly: true, minimumClusterDuration: MIN_PIECE_SECONDS })
      : new MovOutputFormat({
          fastStart: 'fragmented',
          minimumFragmentDuration: MIN_PIECE_SECONDS,
        });
  const output = new Output({ format, target });
  const packets = new EncodedVideoPacketSource(video.codec);
  const pictures = video.encodedAgain && new VideoSampleSource(video.encodedAgain.encoding);
  output.addVideoTrack(pictures ?? packets, { rotation: video.rotation });
  const sound = audio && new EncodedAudioPacketSource(audio.codec);
  if (sound) output.addAudioTrack(sound);
  await output.start();
  return {
    output,
    async add(timed) {
      if (timed.kind === 'video') return packets.add(timed.media, { decoderConfig: video.config });
      if (timed.kind === 'audio')
        return sound?.add(timed.media, audio && { decoderConfig: audio.config });
      await pictures?.add(timed.media);
      timed.media.close();
    },
  };
}
