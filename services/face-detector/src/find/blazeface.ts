import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Plane } from '../i420.js';
import { facesIn, type AnchorGrid } from './blazeface-output.js';
import type { Depth, FaceFinder, Find, Place } from './face-finder.js';
import { cv, matOverPart, withMats } from './opencv.js';
import { distance, grown, overlap, unscaled, within } from './place.js';

/**
 * A search of the whole picture scales it down by so much, and further where it would be wider than
 * this. The network is sure of faces from 20 pixels of what it is given on.
 */
const WHOLE: Record<Depth, { scale: number; widest: number }> = {
  quick: { scale: 0.4, widest: 384 },
  thorough: { scale: 0.7, widest: 640 },
};
/** A quick search of parts is in more detail than a quick one as long as it is only so much of its work. */
const PARTS_WORK = 0.5;
/** A search near a known face: squares, in pixels, in which the face is so wide. */
const NEAR_FACE = 40;
/** Most faces are found in the smaller one, */
const NARROW_SIDE = 64;
/** and surely, no farther away than this part of their width. For the others there is more to see in */
const NARROW_FARTHEST = 0.2;
/** the larger one. */
const WIDE_SIDE = 96;

/** What the network gives less than this is nothing. */
const LEAST_SCORE = 0.3;
/** What it gives this is a face. */
const SURE_SCORE = 0.6;
/** What it is not sure of is a known face only where they share this part of their union. */
const LEAST_WEAK_OVERLAP = 0.4;

/** The network halves its picture five times. */
const SIZE_STEP = 32;
/** Its two grids of anchors. */
const STRIDES = { fine: 16, coarse: 32 };

/** Grey levels as the network wants them, -1 to 1. */
const NORMALISED = Float32Array.from({ length: 256 }, (_, grey) => grey / 127.5 - 1);

/**
 * MediaPipe's BlazeFace for back cameras, changed to take a grey picture of any size whose width and
 * height are multiples of 32 (models/README.md), in the ONNX runtime on one thread.
 */
export class BlazeFaceFinder implements FaceFinder {
  private readonly input = new Input();

  private constructor(private readonly network: InferenceSession) {}

  /** @throws where the file is not there, or is no network */
  static async load(path: string): Promise<BlazeFaceFinder> {
    const network = await InferenceSession.create(path, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return new BlazeFaceFinder(network);
  }

  async findAll(picture: Plane, depth: Depth): Promise<Find[]> {
    const most = WHOLE[depth].widest;
    const size = { width: most, height: most };
    return this.find(picture, wholeOf(picture), scaleOf(picture, depth), size);
  }

  async findIn(picture: Plane, parts: readonly Place[], depth: Depth): Promise<Find[]> {
    const regions = parts.flatMap((part) => within(part, picture) ?? []);
    const scale = depth === 'quick' ? quickScale(picture, regions) : scaleOf(picture, depth);
    const finds: Find[] = [];
    for (const region of regions) finds.push(...(await this.find(picture, region, scale, picture)));
    return finds;
  }

  async findNear(picture: Plane, expected: Place): Promise<Find | undefined> {
    const narrow = await this.findAround(picture, expected, NARROW_SIDE);
    const isThere = narrow?.sure && distance(narrow, expected) < NARROW_FARTHEST * expected.width;
    return isThere ? narrow : this.findAround(picture, expected, WIDE_SIDE);
  }

  private async findAround(picture: Plane, expected: Place, side: number) {
    const scale = NEAR_FACE / expected.width;
    const margin = (side / scale - expected.width) / 2;
    const region = within(grown(expected, margin), picture);
    if (!region) return undefined;
    const faces = await this.find(picture, region, scale, { width: side, height: side });
    const likely = faces.filter(
      (face) => face.sure || overlap(face, expected) > LEAST_WEAK_OVERLAP,
    );
    return likely.sort((a, b) => distance(a, expected) - distance(b, expected))[0];
  }

  /** The faces in a region of the picture, which the network gets at this scale. */
  private async find(
    picture: Plane,
    region: Place,
    scale: number,
    most: { width: number; height: number },
  ): Promise<Find[]> {
    const width = Math.max(1, Math.min(most.width, Math.round(region.width * scale)));
    const height = Math.max(1, Math.min(most.height, Math.round(region.height * scale)));
    const pixels = resized(picture, region, width, height);
    const grids = await this.run(this.input.of(pixels, width, height));
    return facesIn(grids, LEAST_SCORE, SURE_SCORE).map(({ score, sure, ...place }) => ({
      ...unscaled(place, scale, region),
      score,
      sure,
    }));
  }

  private async run(grey: Tensor): Promise<AnchorGrid[]> {
    const output = await this.network.run({ grey });
    return (['fine', 'coarse'] as const).map((grid) => {
      const scores = output[`scores_${grid}`]!;
      return {
        stride: STRIDES[grid],
        rows: scores.dims[2]!,
        columns: scores.dims[3]!,
        scores: scores.data as Float32Array,
        boxes: output[`boxes_${grid}`]!.data as Float32Array,
      };
    });
  }
}

function scaleOf({ width, height }: Plane, depth: Depth): number {
  const { scale, widest } = WHOLE[depth];
  return Math.min(scale, widest / Math.max(width, height));
}

/** The scale for parts of a picture. */
function quickScale(picture: Plane, parts: readonly Place[]): number {
  const quick = scaleOf(picture, 'quick');
  const area = parts.reduce((sum, { width, height }) => sum + width * height, 0);
  const affordable = quick * Math.sqrt((PARTS_WORK * picture.width * picture.height) / area);
  return Math.min(scaleOf(picture, 'thorough'), Math.max(quick, affordable));
}

function wholeOf({ width, height }: Plane): Place {
  return { x: 0, y: 0, width, height };
}

function resized(picture: Plane, region: Place, width: number, height: number): Buffer {
  return withMats((own) => {
    const part = matOverPart(picture, region, own);
    const enlarged = width > region.width;
    return own(
      part.resize(height, width, 0, 0, enlarged ? cv.INTER_LINEAR : cv.INTER_AREA),
    ).getData();
  });
}

/** The pixels at the top left of a picture of a size that the network takes, grey around them. */
class Input {
  private values = new Float32Array(0);

  /** The tensor is good until the next one is made: new memory for each would cost a millisecond. */
  of(pixels: Uint8Array, width: number, height: number): Tensor {
    const columns = SIZE_STEP * Math.ceil(width / SIZE_STEP);
    const rows = SIZE_STEP * Math.ceil(height / SIZE_STEP);
    if (this.values.length < columns * rows) this.values = new Float32Array(columns * rows);
    const values = this.values.subarray(0, columns * rows);
    if (columns > width || rows > height) values.fill(0);
    for (let y = 0, from = 0; y < height; y++) {
      const start = y * columns;
      for (let to = start; to < start + width; to++) values[to] = NORMALISED[pixels[from++]!]!;
    }
    return new Tensor('float32', values, [1, 1, rows, columns]);
  }
}
