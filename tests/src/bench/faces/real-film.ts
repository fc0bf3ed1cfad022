import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { frameBytes } from '@facecast/shared/media/frame-store';
import { framesOf } from '@facecast/face-detector/i420';
import type { Rect } from '@facecast/face-detector/geometry/rect';
import type { Film } from './films.js';
import { markedPictures, rawFrames, type MarkedPicture } from './marked-pictures.js';

const SIZE = { width: 640, height: 480 };
/** What the camera moves over. */
const CANVAS = { width: 960, height: 720 };
/** What of the canvas is beside a frame. */
const ROOM = { width: CANVAS.width - SIZE.width, height: CANVAS.height - SIZE.height };
const FPS = 30;
/** Exposures that are mixed into one frame: what moves is blurred. */
const EXPOSURES = 3;
const FRAMES_A_PICTURE = 60;
/** The camera rolls by as many degrees to each side, in as many seconds. */
const ROLL_DEGREES = 20;
const ROLL_SECONDS = 3;
/** Part by which it comes nearer in a second. */
const ZOOM = 0.15;
const PAN_HERTZ = 0.4;

/**
 * Real pictures as a film: a camera pans, zooms and rolls over each for two seconds, with hard cuts,
 * motion blur, and VP8 as a browser records it.
 */
export async function realFilm(): Promise<Film> {
  const pictures = (await markedPictures()).filter(({ faces }) => faces.length > 0);
  const shots: Buffer[] = [];
  for (const picture of pictures) shots.push(await shoot(picture));
  const bytes = await throughCodec(Buffer.concat(shots));
  const size = frameBytes(SIZE.width, SIZE.height);
  return {
    ...{ name: 'real pictures, moving', size: SIZE, fps: FPS },
    frames: pictures.length * FRAMES_A_PICTURE,
    draw: (n) => {
      const own = Uint8Array.from(bytes.subarray(n * size, (n + 1) * size));
      const picture = pictures[Math.floor(n / FRAMES_A_PICTURE)]!;
      const faces = picture.faces
        .map((face) => placed(face, picture, (n % FRAMES_A_PICTURE) / FPS))
        .filter((face) => face.x + face.width / 2 > 0 && face.x + face.width / 2 < SIZE.width)
        .filter((face) => face.y + face.height / 2 > 0 && face.y + face.height / 2 < SIZE.height);
      return { frame: framesOf(own, { frameCount: 1, ...SIZE })[0]!, faces };
    },
  };
}

async function shoot({ path }: MarkedPicture): Promise<Buffer> {
  const { width, height } = CANVAS;
  const radians = (ROLL_DEGREES * Math.PI) / 180;
  const grey = '0x282828';
  const filters = [
    `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=area`,
    `pad=${width}:${height}:-1:-1:color=${grey}`,
    `rotate=a='${radians}*sin(2*PI*t/${ROLL_SECONDS})':c=${grey}`,
    `scale=w='${width}*(1+${ZOOM}*t)':h='${height}*(1+${ZOOM}*t)':eval=frame`,
    // `iw` would be the width before the zoom.
    `crop=${SIZE.width}:${SIZE.height}:x='${ROOM.width}*(0.5+0.5*sin(2*PI*${PAN_HERTZ}*t))':y=${ROOM.height / 2}`,
    `tmix=frames=${EXPOSURES}`,
    `framestep=${EXPOSURES}`,
  ];
  const seconds = FRAMES_A_PICTURE / FPS + 1;
  const input = ['-loop', '1', '-framerate', String(FPS * EXPOSURES), '-t', String(seconds)];
  return rawFrames([
    ...[...input, '-i', path, '-vf', filters.join(',')],
    ...['-frames:v', String(FRAMES_A_PICTURE)],
  ]);
}

/** Where a face of the picture is in its shot, `t` seconds after its beginning. */
function placed({ x, y, width, height }: Rect, picture: MarkedPicture, t: number): Rect {
  const fitted = Math.min(CANVAS.width / picture.width, CANVAS.height / picture.height);
  const right = (x + width / 2 - picture.width / 2) * fitted;
  const down = (y + height / 2 - picture.height / 2) * fitted;
  const roll = ((ROLL_DEGREES * Math.PI) / 180) * Math.sin((2 * Math.PI * t) / ROLL_SECONDS);
  const zoom = 1 + ZOOM * t;
  const pan = 0.5 + 0.5 * Math.sin(2 * Math.PI * PAN_HERTZ * t);
  const middle = {
    x:
      zoom * (CANVAS.width / 2 + right * Math.cos(roll) - down * Math.sin(roll)) - ROOM.width * pan,
    y:
      zoom * (CANVAS.height / 2 + right * Math.sin(roll) + down * Math.cos(roll)) - ROOM.height / 2,
  };
  const scale = zoom * fitted;
  return {
    x: middle.x - (width * scale) / 2,
    y: middle.y - (height * scale) / 2,
    ...{ width: width * scale, height: height * scale },
  };
}

async function throughCodec(frames: Buffer): Promise<Buffer> {
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${SIZE.width}x${SIZE.height}`];
  const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];
  const encode = spawn(
    'ffmpeg',
    ['-v', 'error', ...raw, '-r', `${FPS}`, '-i', '-', ...vp8, '-f', 'webm', '-'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const decode = spawn(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      'matroska',
      '-i',
      '-',
      '-fps_mode',
      'passthrough',
      ...raw.slice(0, 4),
      '-',
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  encode.stdout.pipe(decode.stdin);
  const decoded = buffer(decode.stdout);
  encode.stdin.end(frames);
  await once(encode, 'close');
  const bytes = await decoded;
  if (bytes.length !== frames.length)
    throw new Error(`of ${frames.length} bytes of frames ${bytes.length} came back`);
  return bytes;
}
