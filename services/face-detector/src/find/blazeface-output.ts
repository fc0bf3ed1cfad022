import type { Find, Place } from './face-finder.js';
import { overlap } from './place.js';

/** What the network says about one grid of anchors: planes of `rows` x `columns`, one after another. */
export interface AnchorGrid {
  /** Pixels of the network's picture from one anchor to the next. */
  stride: number;
  columns: number;
  rows: number;
  /** A plane for each anchor of a cell: the logit of a face's probability. */
  scores: Float32Array;
  /** 16 planes for each anchor: the box's middle from the anchor's, its width and height; 6 points. */
  boxes: Float32Array;
}

const PLANES_AN_ANCHOR = 16;

/** Boxes that share more than this part of their union are of one face. */
const SAME_FACE_OVERLAP = 0.3;

type Scored = Place & { score: number };

/**
 * The faces that the network saw with at least `leastScore`, best first. Many anchors see each face:
 * their mean, weighted by score, is steadier than the best of them ("BlazeFace", Bazarevsky et al.
 * 2019, section 4).
 */
export function facesIn(grids: readonly AnchorGrid[], leastScore: number, sure: number): Find[] {
  let left = grids
    .flatMap((grid) => candidates(grid, leastScore))
    .sort((a, b) => b.score - a.score);
  const faces: Find[] = [];
  while (left[0]) {
    const best = left[0];
    const same = left.filter((one) => overlap(one, best) > SAME_FACE_OVERLAP);
    left = left.filter((one) => overlap(one, best) <= SAME_FACE_OVERLAP);
    faces.push({ ...weightedMean(same), score: best.score, sure: best.score >= sure });
  }
  return faces;
}

function candidates(grid: AnchorGrid, leastScore: number): Scored[] {
  const { stride, columns, rows, scores, boxes } = grid;
  const cells = columns * rows;
  const leastLogit = Math.log(leastScore / (1 - leastScore));
  const found: Scored[] = [];
  for (let at = 0; at < scores.length; at++) {
    if (scores[at]! < leastLogit) continue;
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

function weightedMean(all: readonly Scored[]): Place {
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
