import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Rect } from '../geometry/rect.js';
import { facesIn, type AnchorGrid } from './blazeface-output.js';
import type { Detection, FaceFinder, FinderProfile } from './face-finder.js';
import type { Sample } from './sample.js';

/** Width and height of the input are multiples of this, because the network halves its picture five times. */
const SIZE_STEP = 32;
/** Pixels of the sample from one anchor to the next, of each of its two grids. */
const STRIDES = { fine: 16, coarse: 32 };
/**
 * The network's boxes are square and begin at the brows. A face has this fraction of their width, and a
 * forehead of this fraction of their height above.
 */
const FACE_WIDTH = 0.92;
const FOREHEAD = 0.25;

/** Each grey level as the network takes it, -1 to 1. */
const NORMALISED = Float32Array.from({ length: 256 }, (_, grey) => grey / 127.5 - 1);

/**
 * MediaPipe's BlazeFace for back cameras, changed to take a grey picture of any size whose width and
 * height are multiples of 32 (models/README.md), in the ONNX runtime on one thread.
 */
export class BlazeFaceFinder implements FaceFinder {
  readonly name = 'blazeface';
  readonly profile: FinderProfile = {
    colour: false,
    turns: true,
    faceScore: 0.84,
    closeFaceScore: 0.8,
    candidateScore: 0.4,
    possibleScore: 0.2,
    trackedScore: 0.12,
    quickWidth: 440,
    fullWidth: 960,
    nearFace: 50,
  };
  private readonly input = new GreyInput();

  private constructor(private readonly network: InferenceSession) {}

  /** @throws if the file is missing, or is no network */
  static async load(path: string): Promise<BlazeFaceFinder> {
    const network = await InferenceSession.create(path, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return new BlazeFaceFinder(network);
  }

  async detect(sample: Sample): Promise<Detection[]> {
    const grids = await this.run(this.input.of(sample));
    return facesIn(grids, this.profile.trackedScore).map(({ score, ...box }) => {
      return { ...withForehead(box), score };
    });
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

/** Extends a box that begins at the brows up to the hairline. */
export function withForehead({ x, y, width, height }: Rect): Rect {
  return {
    x: x + ((1 - FACE_WIDTH) / 2) * width,
    y: y - FOREHEAD * height,
    width: FACE_WIDTH * width,
    height: (1 + FOREHEAD) * height,
  };
}

/** The sample's luma at the top left of a picture of a size that the network takes, grey around it. */
class GreyInput {
  private values = new Float32Array(0);

  /**
   * Makes the input tensor; it is valid until the next call, because new memory for each would cost a
   * millisecond.
   */
  of({ width, height, planes }: Sample): Tensor {
    const pixels = planes[0]!;
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
