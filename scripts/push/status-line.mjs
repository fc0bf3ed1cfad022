/** @typedef {ReturnType<typeof createStatusLine>} StatusLine */

/**
 * A last line on the terminal that each update overwrites, below lines that stay. If the output is no
 * terminal, each update is a line of its own.
 */
export function createStatusLine() {
  const terminal = process.stdout.isTTY;
  const clear = terminal ? '\r\u001b[K' : '';
  let current = '';
  return {
    /** @param {string} text */
    print: (text) => process.stdout.write(`${clear}${text}\n${terminal ? current : ''}`),
    /** @param {string} text */
    update: (text) => {
      current = text.slice(0, (process.stdout.columns ?? Infinity) - 1);
      process.stdout.write(terminal ? `${clear}${current}` : `${text}\n`);
    },
    close: () => {
      if (terminal && current !== '') process.stdout.write('\n');
    },
  };
}
