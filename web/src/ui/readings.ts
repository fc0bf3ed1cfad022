import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { byId, setText } from './dom.js';
import { FacesPlot } from './faces-plot.js';
import { latencySeconds } from '../play/latency.js';
import { countFigure, secondsFigure, UNKNOWN, viewersFigure } from './figures.js';
import { facesSeen } from './search.js';

/** What both pages tell of a running stream: latency, faces now and lately, viewers. */
export class Readings {
  private readonly latency = byId('latency', HTMLElement);
  private readonly faces = byId('faces', HTMLElement);
  private readonly facesUnit = byId('faces-unit', HTMLElement);
  private readonly viewers = byId('viewers', HTMLElement);
  private readonly plot = new FacesPlot(byId('plot', HTMLElement));
  private dateErrorMs = 0;

  showStats(stats: Stats): void {
    const { viewers, dateErrorMs } = stats;
    this.dateErrorMs = dateErrorMs;
    const faces = facesSeen(stats);
    this.showFaces(faces);
    this.plot.add(faces);
    setText(this.viewers, viewersFigure(viewers));
  }

  /** Shows how far behind the camera the picture is, by its date in the playlist; in seconds, if known. */
  showLatency(date: number | undefined): number | undefined {
    const seconds = latencySeconds(date, this.dateErrorMs, Date.now());
    showFigure(this.latency, secondsFigure(seconds));
    return seconds;
  }

  /** How many faces there are now is not known. */
  forgetFaces(): void {
    this.showFaces(undefined);
  }

  /** Nothing runs any more: figures of a moment are unknown, the plot stays. */
  stop(): void {
    showFigure(this.latency, UNKNOWN);
    this.showFaces(undefined);
    setText(this.viewers, '');
  }

  /** A new stream begins. */
  clear(): void {
    this.stop();
    this.dateErrorMs = 0;
    this.plot.clear();
  }

  private showFaces(count: number | undefined): void {
    showFigure(this.faces, countFigure(count));
    setText(this.facesUnit, count === 1 ? 'face now' : 'faces now');
  }
}

function showFigure(element: HTMLElement, figure: string): void {
  element.textContent = figure;
  element.classList.toggle('unknown', figure === UNKNOWN);
}
