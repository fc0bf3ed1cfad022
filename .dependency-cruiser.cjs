/** The rules of the house, as a check that fails. @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'a-service-never-imports-another',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'services-import-nothing-but-shared',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(web|tests|scripts)/' },
    },
    {
      name: 'shared-imports-nobody',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(services|web|tests|scripts)/' },
    },
    {
      name: 'the-page-speaks-only-the-protocol',
      severity: 'error',
      from: { path: '^web/src' },
      to: { path: '^(shared|services)/', pathNot: '^shared/(src|dist)/protocol/ingest-protocol' },
    },
    {
      name: 'the-page-s-arrows-run-down',
      comment: 'The two pages use the rooms below them, and not each other.',
      severity: 'error',
      from: { path: '^web/src/([^/]+)/' },
      to: { path: '^web/src/(publish|watch)/', pathNot: '^web/src/$1/' },
    },
    {
      name: 'nobody-imports-tests',
      comment: 'A test beside the code is imported by no code.',
      severity: 'error',
      from: { pathNot: '[.]test[.]ts$' },
      to: { path: '[.]test[.]ts$' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist(-types)?/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
};
