/**
 * Who may import whom at run time. Type-only imports are free: they are gone when the program runs.
 * The tables below are the rule; what follows them only turns their rows into dependency-cruiser's form. ARCHITECTURE.md explains them.
 */

/** One row a folder of `src`: which other parts of ours, which packages and whether Node's own modules. */
const FOLDERS = [
  // Pure rules: no I/O, no clock, no randomness.
  { folder: 'domain', ours: [], packages: ['temporal-polyfill', 'uuid'], node: false },
  // Replayed: whatever differs between two runs breaks them. Wall clocks are kept out by `workflows-see-instants-only` below.
  { folder: 'workflows', ours: ['domain/'], packages: ['@temporalio/workflow', '@temporalio/common'], node: false },
  { folder: 'db', ours: ['domain/'], packages: ['kysely', 'pg'], node: true },
  // The doors write rows, so they compose statements with Kysely's `sql`; the connection stays with `db`.
  { folder: 'scheduling', ours: ['domain/', 'db/'], packages: ['kysely', 'uuid'], node: true },
  // The ledger writes rows too.
  {
    folder: 'notifications',
    ours: ['domain/', 'db/', 'integrations/rabbitmq/'],
    packages: ['kysely', 'typebox', 'uuid'],
    node: true,
  },
  {
    folder: 'activities',
    ours: ['domain/', 'db/', 'scheduling/', 'notifications/', 'integrations/'],
    packages: ['@temporalio/activity', '@temporalio/common'],
    node: true,
  },
  { folder: 'notifier', ours: ['domain/', 'db/', 'notifications/', 'integrations/'], packages: [], node: true },
  {
    folder: 'relay',
    ours: ['domain/', 'db/', 'integrations/temporal/', 'workflows/messages.ts'],
    packages: [],
    node: true,
  },
  {
    folder: 'api',
    ours: ['domain/', 'db/', 'scheduling/', 'notifications/', 'integrations/'],
    packages: ['fastify', '@fastify/.*', 'typebox', 'uuid'],
    node: true,
  },
];

/** Files of the domain that reckon in wall-clock time, which workflows must not. */
const WALL_CLOCKS = [
  'appointment-plan',
  'availability/[a-z]+',
  'earliest-slots',
  'policy-faults',
  'reminder-plan',
  'schedule-change',
  'sick-day',
  'series',
  'time-zone',
  'waitlist-ranking',
  'weekly-hours',
];

/** Each outside system has one folder, and its package is imported there and nowhere else. */
const INTEGRATIONS = {
  temporal: ['@temporalio/client', '@temporalio/common', '@temporalio/worker'],
  rabbitmq: ['amqplib'],
  redis: ['ioredis'],
  twilio: ['twilio'],
  sendgrid: ['@sendgrid/client', '@sendgrid/mail'],
  fhir: ['fhir-kit-client', 'openid-client'],
  icalendar: ['ical.js'],
};

/** Files directly in `src`. */
const FILES = { 'config.ts': ['typebox'], 'logger.ts': ['pino'] };

const AT_RUN_TIME = { dependencyTypesNot: ['type-only'] };
const escape = (text) => text.replaceAll('.', '\\.').replaceAll('\\.*', '.*');
const packagesOtherThan = (names) => ({
  ...AT_RUN_TIME,
  path: '(^|/)node_modules/',
  ...(names.length === 0 ? {} : { pathNot: `node_modules/(@types/)?(${names.map(escape).join('|')})/` }),
});
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const folderRules = FOLDERS.flatMap(({ folder, ours, packages, node }) => {
  const from = { path: `^src/${folder}/` };
  const allowed = [`${folder}/`, ...ours];
  return [
    forbid(`${folder}-imports`, `src/${folder} may import ${ours.join(', ') || 'nothing of ours'}`, from, {
      ...AT_RUN_TIME,
      path: '^src/',
      pathNot: `^src/(${allowed.map(escape).join('|')})`,
    }),
    forbid(
      `${folder}-packages`,
      `src/${folder} may import the packages ${packages.join(', ')}`,
      from,
      packagesOtherThan(packages),
    ),
    ...(node
      ? []
      : [
          forbid(`${folder}-no-node`, `src/${folder} does no I/O`, from, { ...AT_RUN_TIME, dependencyTypes: ['core'] }),
        ]),
  ];
});

const integrationRules = [
  forbid(
    'integrations-imports',
    'an integration may import the domain, its own folder and what lies beside the folders',
    { path: '^src/integrations/([^/]+)/' },
    { ...AT_RUN_TIME, path: '^src/', pathNot: '^src/(domain/|integrations/($1/|[^/]+$))' },
  ),
  forbid(
    'integrations-shared',
    'what lies beside the folders may import the domain, and no package',
    { path: '^src/integrations/[^/]+$' },
    { ...AT_RUN_TIME, path: '^src/|(^|/)node_modules/', pathNot: '^src/(domain/|integrations/[^/]+$)' },
  ),
  ...Object.entries(INTEGRATIONS).map(([system, packages]) =>
    forbid(
      `integrations-${system}-packages`,
      `src/integrations/${system} may import ${packages.join(', ')}`,
      { path: `^src/integrations/${system}/` },
      packagesOtherThan(packages),
    ),
  ),
];

const fileRules = Object.entries(FILES).flatMap(([file, packages]) => [
  forbid(
    `${file}-packages`,
    `src/${file} may import ${packages.join(', ')}`,
    { path: `^src/${escape(file)}$` },
    packagesOtherThan(packages),
  ),
  forbid(
    `${file}-imports`,
    `src/${file} imports nothing of ours`,
    { path: `^src/${escape(file)}$` },
    { ...AT_RUN_TIME, path: '^src/' },
  ),
]);

const places = [...FOLDERS.map(({ folder }) => `${folder}/`), 'main/', ...Object.keys(FILES).map((file) => `${file}$`)];

module.exports = {
  forbidden: [
    ...folderRules,
    ...integrationRules,
    ...fileRules,
    forbid(
      'a-row-for-every-folder',
      'a folder of src that the tables do not name: add its row first',
      {},
      {
        path: '^src/',
        pathNot: `^src/(${[...places.map(escape), ...Object.keys(INTEGRATIONS).map((system) => `integrations/${system}/`), 'integrations/[^/]+$'].join('|')})`,
      },
    ),
    forbid(
      'workflows-see-instants-only',
      'wall-clock arithmetic happens in activities: time zone data would become part of what a replay needs',
      { path: '^src/workflows/' },
      { ...AT_RUN_TIME, path: `^src/domain/(${WALL_CLOCKS.join('|')})\\.ts$` },
    ),
    forbid(
      'wall-clocks-are-listed',
      'a domain file that reckons in wall-clock time belongs to WALL_CLOCKS',
      { path: '^src/domain/', pathNot: `^src/domain/(${WALL_CLOCKS.join('|')})\\.ts$` },
      { ...AT_RUN_TIME, path: `^src/domain/(${WALL_CLOCKS.join('|')})\\.ts$|node_modules/temporal-polyfill/` },
    ),
    forbid(
      'nothing-imports-main',
      'src/main wires the parts; nobody needs it',
      { pathNot: '^src/main/' },
      {
        path: '^src/main/',
      },
    ),
    forbid(
      'src-stands-alone',
      'the product knows nothing of its tests, sandbox and scripts',
      { path: '^src/' },
      {
        path: '^(client|test|sandbox|scripts|bench|dashboard)/',
      },
    ),
    forbid(
      'client-stands-alone',
      'the client is made from the OpenAPI document and knows nothing else of ours',
      { path: '^client/' },
      { path: '^(src|test|sandbox|scripts|bench|dashboard)/' },
    ),
    forbid(
      'sandbox-stands-alone',
      'a stand-in that shares code with the product shares its mistakes',
      { path: '^sandbox/' },
      { path: '^(src|test)/' },
    ),
    forbid(
      'stack-needs-no-packages',
      'scripts/stack runs before the packages are installed',
      { path: '^scripts/stack/' },
      // What provisions a running stack loads its client when it is called, after the packages are there.
      { ...AT_RUN_TIME, dynamic: false, path: '(^|/)node_modules/|^(src|sandbox|test)/' },
    ),
    forbid(
      'src-runs-on-dependencies',
      'a package that src runs on belongs to dependencies',
      { path: '^src/' },
      { ...AT_RUN_TIME, dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),
    forbid('resolvable', 'there is no such module', {}, { couldNotResolve: true }),
    forbid('no-cycles', 'two files that need each other are one', {}, { circular: true, viaOnly: AT_RUN_TIME }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|\\.local)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
