import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { FacesHistory, HISTORY_SECONDS } from './faces-history.js';

/** The axis goes at least this far up, so that one face does not fill the plot. */
const MIN_TOP = 3;
const FONT = '12px system-ui, sans-serif';

/** A small live plot of the faces over the last minute. */
export class FacesPlot {
  private readonly history = new FacesHistory();
  private readonly container: HTMLElement;
  private readonly plot: uPlot;

  constructor(container: HTMLElement) {
    this.container = container;
    this.plot = new uPlot(this.options(), this.data(), container);
    new ResizeObserver(() => this.plot.setSize(sizeOf(container))).observe(container);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      this.plot.redraw(false, true),
    );
    this.describe();
  }

  /** Adds what was seen just now; undefined where nobody looked. */
  add(faces: number | undefined): void {
    this.history.add(nowSeconds(), faces);
    this.draw(faces ?? 'unknown');
  }

  clear(): void {
    this.history.clear();
    this.draw();
  }

  private draw(faces?: number | 'unknown'): void {
    this.plot.setData(this.data());
    this.describe(faces);
  }

  private describe(faces?: number | 'unknown'): void {
    this.container.setAttribute(
      'aria-label',
      faces === undefined
        ? 'Faces over the last minute: nothing yet'
        : `Faces over the last minute: ${faces} now, ${this.history.most} at most`,
    );
  }

  private data(): uPlot.AlignedData {
    return this.history.points;
  }

  private options(): uPlot.Options {
    const colour = (name: string) => () =>
      getComputedStyle(this.container).getPropertyValue(name).trim();
    return {
      ...sizeOf(this.container),
      padding: [8, 18, 0, 6],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => [nowSeconds() - HISTORY_SECONDS, nowSeconds()] },
        y: { range: () => [0, Math.max(MIN_TOP, this.history.most + 1)] },
      },
      axes: [
        {
          stroke: colour('--soft'),
          font: FONT,
          size: 28,
          gap: 8,
          grid: { show: false },
          ticks: { show: false },
          splits: (_, __, from, to) => [from, (from + to) / 2, to],
          values: () => ['1 min ago', '30 s', 'now'],
        },
        {
          stroke: colour('--soft'),
          font: FONT,
          size: 28,
          gap: 6,
          grid: { stroke: colour('--line'), width: 1 },
          ticks: { show: false },
          splits: (_, __, ___, top) => wholeSteps(top),
        },
      ],
      series: [
        {},
        {
          stroke: colour('--accent'),
          fill: colour('--accent-wash'),
          width: 2,
          points: { show: false },
          paths: uPlot.paths.stepped!({ align: 1 }),
        },
      ],
    };
  }
}

/** Whole numbers from 0 to `top`, at most five of them. */
function wholeSteps(top: number): number[] {
  const step = Math.ceil(top / 4);
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
}

function sizeOf(element: HTMLElement): { width: number; height: number } {
  return { width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) };
}

function nowSeconds(): number {
  return Date.now() / 1000;
}
