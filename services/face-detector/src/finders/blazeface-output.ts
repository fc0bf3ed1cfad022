import { iou, type Rect } from '../geometry/rect.js';
import type { Detection } from './face-finder.js';

/** The network's output for one grid of anchors: planes of `rows` x `columns`, one after another. */
export interface AnchorGrid {
  /** Pixels of the network's picture from one anchor to the next. */
  stride: number;
  columns: number;
  rows: number;
  /** A plane for each anchor of a cell: the logit of a face's probability. */
  scores: Float32Array;
  /**
   * 16 planes for each anchor: the box's centre relative to the anchor's, its width and height, and 6
   * points.
   */
  boxes: Float32Array;
}

const PLANES_AN_ANCHOR = 16;

/** Boxes with a higher IoU than this are of one face. */
const SAME_FACE_IOU = 0.3;

/**
 * The faces with a score of at least `minScore`, best first. Many anchors detect each face: their mean,
 * weighted by score, is steadier than the best of them ("BlazeFace", Bazarevsky et al. 2019, section 4).
 */
export function facesIn(grids: readonly AnchorGrid[], minScore: number): Detection[] {
  let left = grids.flatMap((grid) => candidates(grid, minScore)).sort((a, b) => b.score - a.score);
  const faces: Detection[] = [];
  while (left[0]) {
    const best = left[0];
    const same = left.filter((one) => iou(one, best) > SAME_FACE_IOU);
    left = left.filter((one) => iou(one, best) <= SAME_FACE_IOU);
    faces.push({ ...weightedMean(same), score: best.score });
  }
  return faces;
}

function candidates(grid: AnchorGrid, minScore: number): Detection[] {
  const { stride, columns, rows, scores, boxes } = grid;
  const cells = columns * rows;
  const minLogit = Math.log(minScore / (1 - minScore));
  const found: Detection[] = [];
  for (let at = 0; at < scores.length; at++) {
    if (scores[at]! < minLogit) continue;
    const cell = at % cells;
    const plane = Math.floor(at / cells) * PLANES_AN_ANCHOR * cells + cell;
    const width = boxes[plane + 2 * cells]!;
    const height = boxes[plane + 3 * cells]!;
    if (!(width > 0 && height > 0)) continue;
    found.push({
      x: ((cell % columns) + 0.5) * stride + boxes[plane]! - width / 2,
      y: (Math.floor(cell / columns) + 0.5) * stride + boxes[plane + cells]! - height / 2,
      width,
      height,
      score: 1 / (1 + Math.exp(-scores[at]!)),
    });
  }
  return found;
}

function weightedMean(all: readonly Detection[]): Rect {
  const mean = { x: 0, y: 0, width: 0, height: 0 };
  const weights = all.reduce((sum, { score }) => sum + score, 0);
  for (const { x, y, width, height, score } of all) {
    mean.x += (x * score) / weights;
    mean.y += (y * score) / weights;
    mean.width += (width * score) / weights;
    mean.height += (height * score) / weights;
  }
  return mean;
}
