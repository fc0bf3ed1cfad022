import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

/** Preferences: a fake camera and microphone that need no permission, and no telemetry. */
const PREFERENCES: Record<string, boolean | number> = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
};

interface Reply {
  id?: number;
  type: string;
  result?: unknown;
  message?: string;
}

/** Debian's Firefox, headless, with one tab, driven over its own WebDriver BiDi (w3.org/TR/webdriver-bidi). */
export class Firefox {
  private lastId = 0;
  private readonly waiters = new Map<number, (reply: Reply) => void>();
  private tab = '';

  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
    private readonly socket: WebSocket,
  ) {
    socket.on('message', (data: Buffer) => {
      const reply = JSON.parse(data.toString()) as Reply;
      this.waiters.get(reply.id ?? 0)?.(reply);
    });
  }

  static async launch(): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), 'facecast-firefox-'));
    const lines = Object.entries(PREFERENCES).map(([k, v]) => `user_pref("${k}", ${v});\n`);
    await writeFile(join(profile, 'user.js'), lines.join(''));
    const options = ['--headless', '--no-remote', '--profile', profile];
    const firefox = spawn('firefox-esr', [...options, '--remote-debugging-port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: profile },
    });
    const socket = new WebSocket(`${await remoteUrl(firefox)}/session`);
    await once(socket, 'open');
    const browser = new Firefox(firefox, profile, socket);
    await browser.call('session.new', { capabilities: {} });
    const { contexts } = (await browser.call('browsingContext.getTree', {})) as {
      contexts: { context: string }[];
    };
    browser.tab = contexts[0]?.context ?? '';
    return browser;
  }

  async goto(url: string): Promise<void> {
    await this.call('browsingContext.navigate', { context: this.tab, url, wait: 'complete' });
  }

  /** Calls a function in the page, as Playwright's `evaluate` does; answers and arguments are JSON. */
  async evaluate<Argument, Result>(
    work: (argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result> {
    const text = JSON.stringify(argument) ?? 'null';
    const { result, exceptionDetails } = (await this.call('script.evaluate', {
      expression: `(async () => JSON.stringify((await (${work.toString()})(${text})) ?? null))()`,
      target: { context: this.tab },
      awaitPromise: true,
      userActivation: true,
    })) as { result?: { value: string }; exceptionDetails?: { text: string } };
    if (!result) throw new Error(exceptionDetails?.text);
    return JSON.parse(result.value) as Result;
  }

  async close(): Promise<void> {
    const exited = once(this.process, 'exit');
    // Firefox may be gone before it has answered.
    void this.call('browser.close', {});
    await exited;
    await rm(this.profile, { recursive: true, force: true });
  }

  private async call(method: string, params: object): Promise<unknown> {
    const id = ++this.lastId;
    const reply = await new Promise<Reply>((resolve) => {
      this.waiters.set(id, resolve);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
    this.waiters.delete(id);
    if (reply.type === 'error') throw new Error(`${method}: ${reply.message}`);
    return reply.result;
  }
}

async function remoteUrl(firefox: ChildProcess): Promise<string> {
  const lines = createInterface({ input: firefox.stderr! });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const [, url] = /WebDriver BiDi listening on (ws:\S+)/.exec(line) ?? [];
      if (url) resolve(url);
    });
    firefox.once('error', reject);
    firefox.once('exit', (code) => reject(new Error(`Firefox ended with ${code}`)));
  });
}
