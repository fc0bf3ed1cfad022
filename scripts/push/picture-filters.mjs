/** Transfer functions of HDR, in ffmpeg's names: PQ and HLG. */
const HDR = ['smpte2084', 'arib-std-b67'];
/** Larger pictures are scaled down to what the server makes of them, in pixels. */
const MAX_WIDTH = 1280;
/**
 * How bright HDR becomes what in SDR, as Chromium shows it: white is 400 cd/m², half of which and less is as it was,
 * and what is brighter is drawn together up to 1,000 cd/m².
 */
const WHITE_NITS = 400;
const TONE_MAP = 'mobius:param=0.5:peak=2.5:desat=0';

/**
 * How players are told to show a picture.
 *
 * @typedef {object} Presentation
 * @property {number[]} matrix the first four numbers of its display matrix that say how it is turned (a, b, c and d of
 * ISO/IEC 14496-12, section 8.3.2)
 * @property {string} transfer its transfer function, in ffmpeg's name
 */

/** Whether a picture means what it means to whoever ignores how it is to be shown. @param {Presentation} picture */
export function isPlain({ matrix: [a = 1, b = 0, c = 0, d = 1], transfer }) {
  return a > 0 && d > 0 && b === 0 && c === 0 && !HDR.includes(transfer);
}

/**
 * Filters for ffmpeg, which make of a picture what players show: upright, progressive, with square pixels, and in
 * the colours of SDR.
 *
 * @param {Presentation} picture
 */
export function filtersFor({ matrix, transfer }) {
  const factor = `min(1,${MAX_WIDTH}/(iw*sar))`;
  const even = (/** @type {string} */ side) => `max(2,2*trunc(${side}*${factor}/2+0.01))`;
  const scale = `scale=w='${even('iw*sar')}':h='${even('ih')}'`;
  return [
    'bwdif=mode=send_frame:deint=interlaced',
    ...turning(matrix),
    ...(HDR.includes(transfer)
      ? [scale, ...TO_SDR]
      : [`${scale}:out_color_matrix=bt601:out_range=limited`, 'format=yuv420p']),
    'setsar=1',
  ];
}

const TO_SDR = [
  `zscale=t=linear:npl=${WHITE_NITS}`,
  'format=gbrpf32le',
  'zscale=p=bt709',
  `tonemap=tonemap=${TONE_MAP}`,
  'zscale=t=iec61966-2-1:m=170m:r=limited',
  'format=yuv420p',
];

/** By the nearest right angle. @param {number[]} matrix */
function turning([a = 1, b = 0, c = 0, d = 1]) {
  if (Math.abs(a) > Math.abs(b)) return [...(a < 0 ? ['hflip'] : []), ...(d < 0 ? ['vflip'] : [])];
  if (b > 0) return [c > 0 ? 'transpose=cclock_flip' : 'transpose=clock'];
  return [c > 0 ? 'transpose=cclock' : 'transpose=clock_flip'];
}
