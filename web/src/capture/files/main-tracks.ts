import { EncodedPacketSink, prefer, type Input, type InputVideoTrack } from 'mediabunny';

/**
 * The video that players show: among several, one that is marked as the default before one that is a single
 * picture, such as a cover; null if none can be sent.
 */
export async function mainVideo(input: Input): Promise<InputVideoTrack | null> {
  const known = await input.getVideoTracks({
    filter: async (track) => (await track.getCodec()) !== null,
  });
  if (known.length < 2) return known[0] ?? null;
  const [first = null] = await input.getVideoTracks({
    filter: (track) => known.includes(track),
    sortBy: async (track) => [
      prefer((await track.getDisposition()).default),
      prefer(await moves(track)),
    ],
  });
  return first;
}

async function moves(track: InputVideoTrack): Promise<boolean> {
  const packets = new EncodedPacketSink(track);
  const first = await packets.getFirstPacket({ metadataOnly: true });
  return first !== null && (await packets.getNextPacket(first, { metadataOnly: true })) !== null;
}
