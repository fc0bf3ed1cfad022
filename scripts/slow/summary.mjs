/**
 * One test's results over all runs.
 *
 * @typedef {object} TestSummary
 * @property {string} title
 * @property {number} passed
 * @property {number} failed
 * @property {number[]} seconds
 * @property {string | undefined} reason the first line of the last failure
 */

/**
 * The report of a run, as Vitest's reporter `json` writes it.
 *
 * @typedef {object} RunReport
 * @property {{ assertionResults: { fullName: string, status: string, duration?: number | null,
 *   failureMessages?: string[] | null, }[], status: string, name: string, message?: string }[]} testResults
 */

/**
 * Adds a run's results to the summaries.
 *
 * @param {Map<string, TestSummary>} tests by title; changed
 * @param {RunReport} report
 * @returns {string[]} titles of the tests that failed in this run
 */
export function addRun(tests, { testResults }) {
  const failed = [];
  for (const file of testResults) {
    const results = file.assertionResults.filter(({ status }) => status !== 'skipped');
    for (const { fullName, status, duration, failureMessages } of results) {
      const test = summaryOf(tests, fullName);
      if (status === 'passed') test.passed++;
      else failed.push(fullName);
      if (status !== 'passed') test.failed++;
      test.seconds.push((duration ?? 0) / 1000);
      test.reason = failureMessages?.[0]?.split('\n')[0] ?? test.reason;
    }
    // A file whose tests never began, for instance because the system did not start.
    if (file.status !== 'passed' && results.every(({ status }) => status === 'passed')) {
      const test = summaryOf(tests, file.name);
      test.failed++;
      test.reason = file.message?.split('\n')[0];
      failed.push(file.name);
    }
  }
  return failed;
}

/**
 * @param {Map<string, TestSummary>} tests
 * @param {boolean} isWhole a row for each test, not only for those that failed
 * @returns {string[]} lines of a table; none if there is nothing to report
 */
export function tableOf(tests, isWhole) {
  const shown = [...tests.values()].filter(({ failed }) => isWhole || failed > 0);
  if (shown.length === 0) return [];
  const rows = shown.map(({ title, passed, failed, seconds, reason }) => [
    `${passed}/${passed + failed}`,
    median(seconds).toFixed(1),
    Math.max(0, ...seconds).toFixed(1),
    title,
    reason ?? '',
  ]);
  const all = [['passed', 's, median', 's, most', 'test', 'why it failed last'], ...rows];
  return all.map(([passed = '', middle = '', most = '', title = '', reason = '']) =>
    [passed.padStart(8), middle.padStart(9), most.padStart(8), title, reason].join('  ').trimEnd(),
  );
}

/**
 * @param {Map<string, TestSummary>} tests
 * @param {string} title
 * @returns {TestSummary}
 */
function summaryOf(tests, title) {
  const known = tests.get(title);
  if (known) return known;
  const test = { title, passed: 0, failed: 0, seconds: [], reason: undefined };
  tests.set(title, test);
  return test;
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
