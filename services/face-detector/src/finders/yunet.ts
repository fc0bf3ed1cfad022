import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Detection, FaceFinder, FinderProfile } from './face-finder.js';
import { suppressNonMaxima } from './non-maximum-suppression.js';
import type { Sample } from './sample.js';

/** Pixels of the sample from one anchor to the next, of each of the network's three grids. */
const STRIDES = [8, 16, 32] as const;
/** Width and height of the input are multiples of this. */
const SIZE_STEP = 32;

/**
 * YuNet ("YuNet: A Tiny Millisecond-level Face Detector", Wu et al. 2023) in the ONNX runtime on one
 * thread. Its input is BGR, 0 to 255; its boxes are logarithmic and relative to an anchor's cell.
 */
export class YuNetFinder implements FaceFinder {
  readonly name = 'yunet';
  readonly profile: FinderProfile = {
    colour: true,
    turns: true,
    faceScore: 0.6,
    closeFaceScore: 0.6,
    candidateScore: 0.45,
    possibleScore: 0.3,
    trackedScore: 0.1,
    quickWidth: 440,
    fullWidth: 960,
    nearFace: 40,
  };
  private readonly input = new BgrInput();

  private constructor(private readonly network: InferenceSession) {}

  /** @throws if the file is missing, or is no network */
  static async load(path: string): Promise<YuNetFinder> {
    const network = await InferenceSession.create(path, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return new YuNetFinder(network);
  }

  async detect(sample: Sample): Promise<Detection[]> {
    const { tensor, columns } = this.input.of(sample);
    const output = await this.network.run({ [this.network.inputNames[0]!]: tensor });
    const found = STRIDES.flatMap((stride) => {
      const of = (name: string) => output[`${name}_${stride}`]!.data as Float32Array;
      const grid = { stride, columns: columns / stride };
      return detectionsIn(grid, of('cls'), of('obj'), of('bbox'), this.profile.trackedScore);
    });
    return suppressNonMaxima(found);
  }
}

function detectionsIn(
  { stride, columns }: { stride: number; columns: number },
  classes: Float32Array,
  objects: Float32Array,
  boxes: Float32Array,
  minScore: number,
): Detection[] {
  const found: Detection[] = [];
  for (let cell = 0; cell < classes.length; cell++) {
    const product = classes[cell]! * objects[cell]!;
    if (product < minScore ** 2) continue;
    const at = 4 * cell;
    const width = Math.exp(boxes[at + 2]!) * stride;
    const height = Math.exp(boxes[at + 3]!) * stride;
    found.push({
      x: ((cell % columns) + boxes[at]!) * stride - width / 2,
      y: (Math.floor(cell / columns) + boxes[at + 1]!) * stride - height / 2,
      ...{ width, height },
      score: Math.min(1, Math.sqrt(product)),
    });
  }
  return found;
}

/** The sample's pixels in blue, green and red planes, black beside them. */
class BgrInput {
  private values = new Float32Array(0);

  /**
   * Makes the input tensor; it is valid until the next call, because new memory for each would cost a
   * millisecond.
   */
  of({ width, height, planes }: Sample): { tensor: Tensor; columns: number } {
    const columns = SIZE_STEP * Math.ceil(width / SIZE_STEP);
    const rows = SIZE_STEP * Math.ceil(height / SIZE_STEP);
    const plane = columns * rows;
    if (this.values.length < 3 * plane) this.values = new Float32Array(3 * plane);
    const values = this.values.subarray(0, 3 * plane);
    if (columns > width || rows > height) values.fill(0);
    const [y, u, v] = planes as [Buffer, Buffer, Buffer];
    for (let row = 0, from = 0; row < height; row++)
      for (let to = row * columns; to < row * columns + width; to++, from++) {
        // ITU-R BT.601-7, limited range.
        const luma = 1.164 * (y[from]! - 16);
        const blue = u[from]! - 128;
        const red = v[from]! - 128;
        values[to] = luma + 2.017 * blue;
        values[to + plane] = luma - 0.392 * blue - 0.813 * red;
        values[to + 2 * plane] = luma + 1.596 * red;
      }
    return { tensor: new Tensor('float32', values, [1, 3, rows, columns]), columns };
  }
}
