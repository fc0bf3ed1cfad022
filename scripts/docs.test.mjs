import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './setup/paths.mjs';

/** What is not the project's own, or is made by a build or a run. */
const SKIPPED = new Set(['node_modules', 'dist', 'dist-types', '.git', 'data']);

/** Every file and folder of the project, with slashes. @type {(directory: string) => string[]} */
const below = (directory) =>
  readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = posix.join(directory, entry.name);
    return entry.isDirectory() ? [`${path}/`, ...below(path)] : [path];
  });

const paths = new Set(below('.'));
const documents = [...paths].filter((path) => path.endsWith('.md') && !path.includes('/models/'));

/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

/** A source file with its folder, perhaps with a symbol of it, as documents name them. */
const REFERENCE =
  /`((?:services|shared|web|tests|scripts|docs)\/[\w./-]*?(?:\/|\.(?:ts|mjs|md|html)))(?::(\w+))?`/g;
/** A link to another document of the project, perhaps to a heading of it. */
const LINK = /\]\((?!\w+:)([^)#\s]*)(?:#([^)]*))?\)/g;

/**
 * What is wrong with what a document names.
 *
 * @param {string} document
 */
function brokenReferences(document) {
  const text = read(document);
  const references = [...text.matchAll(REFERENCE)].flatMap(([, path = '', symbol]) => {
    if (!paths.has(path)) return [`${path} is not there`];
    const isThere = symbol === undefined || new RegExp(`\\b${symbol}\\b`).test(code(path));
    return isThere ? [] : [`${path} has no ${symbol}`];
  });
  const links = [...text.matchAll(LINK)].flatMap(([, target = '', anchor]) => {
    const path = target === '' ? document : posix.join(dirname(document), target);
    const isThere = paths.has(path) || paths.has(`${path}/`);
    const isHeadingThere = anchor === undefined || (isThere && anchorsOf(path).includes(anchor));
    return isThere && isHeadingThere ? [] : [`the link to ${target}#${anchor} leads nowhere`];
  });
  return [...references, ...links];
}

/** The headings of a document, as links name them. @param {string} path */
function anchorsOf(path) {
  return [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A source file without its comments. @param {string} path */
function code(path) {
  return read(path).replaceAll(/\/\*[^]*?\*\/|\/\/ .*$/gm, '');
}

describe('documents', () => {
  test.each(documents)('%s names only what there is', (document) => {
    expect(brokenReferences(document)).toEqual([]);
  });
});
