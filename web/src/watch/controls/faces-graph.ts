import { byId, setText } from '../../ui/dom.js';
import { recordedFacesWords } from '../watch-messages.js';
import { FacesOverTime, pathOf, STRETCHES } from './faces-over-time.js';

/** A longer face timeline, in characters, is not worth its transfer: hours of many faces. */
const MAX_LENGTH = 20_000_000;

/** The faces over the time of a recording, below its slider. */
export class FacesGraph {
  private readonly graph = byId('faces-graph', SVGSVGElement);
  private readonly words = byId('faces-words', HTMLElement);

  /**
   * Shows the faces of a recording; nothing if the server does not tell them.
   * @param url of its face timeline, as NDJSON
   * @param seconds length of the recording
   */
  async show(url: string, seconds: number): Promise<void> {
    const faces = new FacesOverTime(seconds);
    try {
      for await (const line of linesOf(await fetch(url))) faces.add(line);
    } catch {
      return;
    }
    this.graph.setAttribute('viewBox', `0 0 ${STRETCHES} 1`);
    this.graph.querySelector('path')?.setAttribute('d', pathOf(faces.most));
    setText(this.words, recordedFacesWords(faces.most));
  }
}

/** @throws {Error} if the answer is an error, breaks off, or is too long */
async function* linesOf({ ok, status, body }: Response): AsyncGenerator<string> {
  if (!ok || !body) throw new Error(`no face timeline: ${status}`);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let unfinished = '';
  for (let length = 0; length < MAX_LENGTH;) {
    const { value, done } = await reader.read();
    if (done) return;
    length += value.length;
    const lines = (unfinished + value).split('\n');
    unfinished = lines.pop() ?? '';
    yield* lines;
  }
  await reader.cancel();
  throw new Error('the face timeline is too long');
}
