import type { EncodedPacket, EncodedPacketSink } from 'mediabunny';
import type { ShownTimes } from './edit-lists.js';

/** Tolerance in seconds, because edit lists have coarser units than packets. */
const TOLERANCE = 0.002;
const METADATA = { metadataOnly: true };

/** Whether a picture is shown before or after its track's others are. */
export function isHidden(timestamp: number, shown: ShownTimes): boolean {
  return isBefore(timestamp, shown) || isAfter(timestamp, shown);
}

const isBefore = (timestamp: number, { from }: ShownTimes) => timestamp < from - TOLERANCE;
const isAfter = (timestamp: number, { until }: ShownTimes) => timestamp >= until - TOLERANCE;

/** Whether all pictures that are shown can be decoded without any of those that are not. */
export async function areShownAlone(
  packets: EncodedPacketSink,
  shown: ShownTimes,
): Promise<boolean> {
  const first = await packets.getKeyPacket(shown.from + TOLERANCE, METADATA);
  if (first && isBefore(first.timestamp, shown)) return false;
  if (shown.until === Infinity) return true;
  let hasEnded = false;
  const last = (await packets.getKeyPacket(shown.until, METADATA)) ?? undefined;
  for await (const { timestamp } of packets.packets(last, undefined, METADATA)) {
    if (isAfter(timestamp, shown)) hasEnded = true;
    else if (hasEnded) return false;
  }
  return true;
}

/** Yields those of a track's packets whose pictures are shown. */
export async function* shownPictures(
  packets: AsyncGenerator<EncodedPacket, void, unknown>,
  shown: ShownTimes,
): AsyncGenerator<EncodedPacket, void, undefined> {
  for await (const packet of packets) {
    if (isAfter(packet.timestamp, shown)) return;
    if (!isBefore(packet.timestamp, shown)) yield packet;
  }
}

/** Yields those of a track's packets that are heard completely. */
export async function* heardPackets(
  packets: AsyncGenerator<EncodedPacket, void, unknown>,
  shown: ShownTimes,
): AsyncGenerator<EncodedPacket, void, undefined> {
  for await (const packet of packets) {
    if (packet.timestamp + packet.duration > shown.until + TOLERANCE) return;
    if (!isBefore(packet.timestamp, shown)) yield packet;
  }
}
