import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { byId } from './dom.js';
import { countFigure, millisecondsFigure, pictureFigure } from './figures.js';

type Stage = keyof Stats['stages'];

/** The details area: frames counted, and where the time on the server goes. */
export class StatsDetails {
  private readonly framesIn = byId('frames-in', HTMLElement);
  private readonly framesOut = byId('frames-out', HTMLElement);
  private readonly framesUndetected = byId('frames-undetected', HTMLElement);
  private readonly picture = byId('picture-size', HTMLElement);
  private readonly pipeline = byId('pipeline', HTMLElement);
  private readonly stages = [...byId('stages', HTMLElement).querySelectorAll('li')];

  show(stats: Stats): void {
    this.framesIn.textContent = countFigure(stats.framesIn);
    this.framesOut.textContent = countFigure(stats.framesOut);
    this.framesUndetected.textContent = countFigure(stats.framesUndetected);
    this.picture.textContent = pictureFigure(stats.width, stats.height, stats.fps);
    this.pipeline.textContent = millisecondsFigure(stats.pipelineMs);
    for (const item of this.stages) {
      const { ms } = stats.stages[item.dataset['stage'] as Stage];
      item.style.flexGrow = String(Math.max(1, ms));
      item.querySelector('b')!.textContent = millisecondsFigure(ms);
    }
  }
}
