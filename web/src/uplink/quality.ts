/** How much of the picture is recorded. */
export interface Quality {
  /** Bitrate of the video encoder, in bits a second. */
  bitsPerSecond: number;
  /** Bitrate of the audio encoder, in bits a second; undefined: the browser's default. */
  soundBitsPerSecond?: number;
  /** Maximum pictures a second; undefined: all of the source's. */
  frameRate?: number;
  /** Factor for each side of the source's picture. */
  scale: number;
}

export const BEST_QUALITY: Quality = { bitsPerSecond: 2_500_000, scale: 1 };

/** Enough for speech that is easily understood, in bits a second (Opus). */
const SPEECH = { soundBitsPerSecond: 32_000 };

/** From the best to the least: fewer bits first, then fewer pictures, then smaller ones. */
export const QUALITIES: readonly Quality[] = [
  BEST_QUALITY,
  { bitsPerSecond: 1_200_000, scale: 1 },
  { bitsPerSecond: 600_000, scale: 1 },
  { bitsPerSecond: 350_000, scale: 1, frameRate: 15, ...SPEECH },
  { bitsPerSecond: 200_000, scale: 0.5, frameRate: 15, ...SPEECH },
  { bitsPerSecond: 100_000, scale: 0.5, frameRate: 8, ...SPEECH },
];

export const LOWEST_QUALITY = QUALITIES.length - 1;

/** Whether it has fewer or smaller pictures than the source. */
export function isReduced({ scale, frameRate }: Quality): boolean {
  return scale < 1 || frameRate !== undefined;
}

/** The quality of this number, 0 being the best. */
export function qualityOf(level: number): Quality {
  return QUALITIES[level] ?? BEST_QUALITY;
}

/** The best quality within a bitrate. */
export function levelFor(bitsPerSecond: number): number {
  const level = QUALITIES.findIndex((quality) => quality.bitsPerSecond <= bitsPerSecond);
  return level < 0 ? LOWEST_QUALITY : level;
}

/** The next lower quality that has fewer or smaller pictures, which is less to decode and encode. */
export function lighterLevel(level: number): number {
  const pixels = ({ scale, frameRate = Infinity }: Quality) => scale * scale * frameRate;
  const lighter = QUALITIES.findIndex(
    (quality, other) => other > level && pixels(quality) < pixels(qualityOf(level)),
  );
  return lighter < 0 ? LOWEST_QUALITY : lighter;
}
