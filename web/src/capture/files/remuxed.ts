import {
  AppendOnlyStreamTarget,
  EncodedAudioPacketSource,
  EncodedVideoPacketSource,
  MkvOutputFormat,
  MovOutputFormat,
  Output,
} from 'mediabunny';
import type { TimedBytes } from './file-stream.js';
import type { MediaFile, TimedPacket } from './media-file.js';

/** Of a Matroska cluster or an MP4 fragment, in seconds; both end at key frames. */
const SHORTEST_PIECE_SECONDS = 0.1;

/** As what a file is sent: Matroska leaves packet by packet, but cannot say that pictures are to be turned. */
export function remuxedType({ video }: MediaFile): string {
  return video.rotation === 0 ? 'video/x-matroska' : 'video/mp4';
}

/** A file's packets from `from` (seconds) on, none left out or encoded again, as one stream. */
export async function* remuxed(
  file: MediaFile,
  from: number,
): AsyncGenerator<TimedBytes, void, undefined> {
  const written: Uint8Array[] = [];
  const { output, add } = await begin(file, (bytes) => written.push(bytes));
  let time = 0;
  for await (const timed of file.packets(from)) {
    await add(timed);
    time = timed.packet.timestamp;
    yield { time, bytes: written.splice(0) };
  }
  await output.finalize();
  yield { time, bytes: written.splice(0) };
}

async function begin(
  file: MediaFile,
  write: (bytes: Uint8Array) => void,
): Promise<{ output: Output; add: (packet: TimedPacket) => Promise<void> }> {
  const { video, audio } = file;
  const target = new AppendOnlyStreamTarget(new WritableStream<Uint8Array>({ write }));
  const format =
    remuxedType(file) === 'video/x-matroska'
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
      kind === 'audio' && sound
        ? sound.add(packet, { decoderConfig: audio.config })
        : pictures.add(packet, { decoderConfig: video.config }),
  };
}
